import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import type { AroundCall } from '../../destinations/http/http.ts';
import { aroundCalls } from './around-calls.ts';
import { loadOpenTelemetry, resourceOf } from './open-telemetry.ts';
import { workflowExporter } from './workflow-exporter.ts';

const SERVICE = 'longhaul';
const CLOSE_WITHIN_MS = 3000;

/**
 * Sends spans by OTLP over HTTP to the endpoint of OpenTelemetry's environment variables (`OTEL_EXPORTER_OTLP_ENDPOINT` …).
 * Once per process: it becomes the global tracer of OpenTelemetry.
 *
 * @throws ConfigError if OpenTelemetry's packages are not installed
 */
export async function startTracing(): Promise<Tracing> {
  const openTelemetry = await loadOpenTelemetry();
  const { api, otlp, resources, sdk, client, worker } = openTelemetry;
  const resource = resourceOf(resources, SERVICE);
  const processor = new sdk.BatchSpanProcessor(new otlp.OTLPTraceExporter());
  const provider = new sdk.NodeTracerProvider({ resource, spanProcessors: [processor] });
  provider.register();

  const ofClient = new client.OpenTelemetryWorkflowClientInterceptor();
  return {
    // Without queries: progress is queried every second.
    clientInterceptor: {
      start: (input, next) => ofClient.start(input, next),
      startUpdate: (input, next) => ofClient.startUpdate(input, next),
      cancel: (input, next) => ofClient.cancel(input, next),
      terminate: (input, next) => ofClient.terminate(input, next),
    },
    activityInterceptor: (context) => ({
      inbound: new worker.OpenTelemetryActivityInboundInterceptor(context),
      outbound: new worker.OpenTelemetryActivityOutboundInterceptor(context),
    }),
    sinks: workflowExporter(api, resource, (span) => processor.onEnd(span)),
    aroundCalls: (sendsHeaders) => aroundCalls(openTelemetry, sendsHeaders),
    close: async () => {
      const tooLate = new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
      await Promise.race([provider.shutdown().catch(() => {}), tooLate]);
    },
  };
}

/** The spans of the client and the worker of a process. */
export interface Tracing {
  readonly clientInterceptor: WorkflowClientInterceptor;
  readonly activityInterceptor: ActivityInterceptorsFactory;
  /** Receive the spans of workflows from their sandbox. */
  readonly sinks: InjectedSinks<Sinks>;
  /** A span for each call to a destination. @param sendsHeaders whether the destination gets W3C's `traceparent` */
  readonly aroundCalls: (sendsHeaders: boolean) => AroundCall;
  /** Sends the remaining spans, for at most 3 s. Never rejects. */
  close(): Promise<void>;
}
