import type { AroundCall } from '../../destinations/http/http.ts';
import { ApiError } from '../../errors.ts';
import type { OpenTelemetry } from './open-telemetry.ts';

const TRACER = 'longhaul';

/** A span for each call, within that of the activity. It has no query, header or body, because these can contain secrets. */
export function aroundCalls({ api }: OpenTelemetry, sendsHeaders: boolean): AroundCall {
  const tracer = api.trace.getTracer(TRACER);
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
