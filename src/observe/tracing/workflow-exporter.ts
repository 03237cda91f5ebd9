import type * as Api from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import type { OpenTelemetrySinks, SerializableSpan } from '@temporalio/interceptors-opentelemetry';
import type { InjectedSinks } from '@temporalio/worker';

/** A span as a workflow sends it. Bundles with Temporal's package for OpenTelemetry 2 use the names of that version. */
type Span = Partial<SerializableSpan> &
  Omit<SerializableSpan, 'parentSpanId' | 'instrumentationLibrary'> & {
    readonly parentSpanContext?: SerializableSpan['spanContext'];
    readonly instrumentationScope?: SerializableSpan['instrumentationLibrary'];
  };

/**
 * Receives the spans of workflows from their sandbox. Longhaul's bundle of workflows contains OpenTelemetry 1, and the
 * process that exports its spans can have OpenTelemetry 2. Each span therefore has the fields of both.
 */
export function workflowExporter(
  api: typeof Api,
  resource: Resource,
  onEnd: (span: ReadableSpan) => void,
): InjectedSinks<OpenTelemetrySinks> {
  const readable = (span: Span): ReadableSpan & Pick<Span, 'instrumentationLibrary' | 'parentSpanId'> => {
    const { traceState, ...ids } = span.spanContext;
    const context: Api.SpanContext = { ...ids, traceState: traceState ? api.createTraceState(traceState) : undefined };
    const scope = span.instrumentationScope ?? span.instrumentationLibrary ?? { name: 'longhaul' };
    const parentSpanId = span.parentSpanContext?.spanId ?? span.parentSpanId;
    return {
      ...span,
      resource,
      spanContext: () => context,
      instrumentationScope: scope,
      instrumentationLibrary: scope,
      parentSpanId,
      parentSpanContext: parentSpanId ? { ...context, spanId: parentSpanId } : undefined,
    };
  };
  return {
    exporter: {
      export: {
        fn(info, spans: readonly Span[]) {
          for (const span of spans) {
            Object.assign(span.attributes, info);
            onEnd(readable(span));
          }
        },
      },
    },
  };
}
