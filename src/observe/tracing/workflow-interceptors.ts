import type { WorkflowInterceptors } from '@temporalio/workflow';
import {
  OpenTelemetryInboundInterceptor,
  OpenTelemetryInternalsInterceptor,
  OpenTelemetryOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry/lib/workflow/index.js';

/**
 * Part of the bundle of workflows with traces. Queries have no spans, because progress is queried every second. Updates
 * have no spans either: a span would delay the response to an update by some steps, and a history that started without
 * traces would not replay with them. The replay tests replay all histories with and without these interceptors.
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
