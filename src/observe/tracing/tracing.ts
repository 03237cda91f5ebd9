import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import type { AroundCall } from '../../destinations/http/call.ts';
import { ApiError } from '../../errors.ts';
import { loadOpenTelemetry, resourceOf, type OpenTelemetry } from './open-telemetry.ts';
import { workflowExporter } from './workflow-exporter.ts';

/** Name of the service in spans, and of the tracer. */
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
      const timer = new AbortController();
      const tooLate = delay(CLOSE_WITHIN_MS, undefined, { signal: timer.signal });
      await Promise.race([provider.shutdown().catch(() => {}), tooLate]);
      timer.abort();
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

/** A span for each call, within that of the activity. It has no query, header or body, because these can contain secrets. */
function aroundCalls({ api }: OpenTelemetry, sendsHeaders: boolean): AroundCall {
  const tracer = api.trace.getTracer(SERVICE);
  return ({ method, host, path, action }, send) => {
    const [address = '', port = ''] = host.split(/:(?=\d+$)/);
    const attributes = {
      'http.request.method': method,
      'server.address': address,
      'server.port': Number(port),
      'url.path': path,
      'longhaul.action': action,
    };
    return tracer.startActiveSpan(method, { kind: api.SpanKind.CLIENT, attributes }, async (span) => {
      const headers: Record<string, string> = {};
      if (sendsHeaders) api.propagation.inject(api.context.active(), headers);
      try {
        return await send(headers);
      } catch (error) {
        const { name, message } = error as Error;
        if (error instanceof ApiError) {
          const { status, requestId } = error.details;
          span.setAttribute('http.response.status_code', status);
          if (requestId) span.setAttribute('longhaul.request_id', requestId);
        }
        span.setAttribute('error.type', name);
        span.setStatus({ code: api.SpanStatusCode.ERROR, message });
        throw error;
      } finally {
        span.end();
      }
    });
  };
}
