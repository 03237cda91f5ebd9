import type { WorkflowInterceptors } from '@temporalio/workflow';
import {
  OpenTelemetryInboundInterceptor,
  OpenTelemetryInternalsInterceptor,
  OpenTelemetryOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry/lib/workflow/index.js';

/**
 * Bundled with the workflows where traces are wanted. Queries have no spans: progress is asked for every second. Nor
 * have updates: a span would let an update be answered some steps later, and then a history that began without traces
 * would not replay with them. The replay tests go through all histories with this and without.
 */
export const interceptors = (): WorkflowInterceptors => {
  const inbound = new OpenTelemetryInboundInterceptor();
  return {
    inbound: [
      {
        execute: (input, next) => inbound.execute(input, next),
        handleSignal: (input, next) => inbound.handleSignal(input, next),
      },
    ],
    outbound: [new OpenTelemetryOutboundInterceptor()],
    internals: [new OpenTelemetryInternalsInterceptor()],
  };
};
