import { aroundCalls } from './around-calls.ts';
import { loadOpenTelemetry } from './open-telemetry.ts';
import type { Tracing } from './tracing.ts';

const SERVICE = 'longhaul';
const CLOSE_WITHIN_MS = 3000;

/**
 * Sends spans by OTLP over HTTP to where OpenTelemetry's own environment variables say (`OTEL_EXPORTER_OTLP_ENDPOINT` …).
 * Once a process: it becomes the global tracer of OpenTelemetry.
 *
 * @throws ConfigError when OpenTelemetry's packages are not installed
 */
export async function startTracing(): Promise<Tracing> {
  const openTelemetry = await loadOpenTelemetry();
  const { otlp, resources, sdk, client, worker } = openTelemetry;
  const named = new resources.Resource({ 'service.name': SERVICE });
  const resource = named.merge(resources.detectResourcesSync({ detectors: [resources.envDetectorSync] }));
  const processor = new sdk.BatchSpanProcessor(new otlp.OTLPTraceExporter());
  const provider = new sdk.NodeTracerProvider({ resource, spanProcessors: [processor] });
  provider.register();

  const ofClient = new client.OpenTelemetryWorkflowClientInterceptor();
  return {
    // Without queries: progress is asked for every second.
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
    sinks: { exporter: worker.makeWorkflowExporter(processor, resource) },
    aroundCalls: (sendsHeaders) => aroundCalls(openTelemetry, sendsHeaders),
    close: async () => {
      const tooLate = new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
      await Promise.race([provider.shutdown().catch(() => {}), tooLate]);
    },
  };
}
