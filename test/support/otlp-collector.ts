import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { context, propagation, trace } from '@opentelemetry/api';

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

export interface OtlpCollector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** All that came in, as it came. */
  readonly text: () => string;
}

interface ExportRequest {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly { readonly spans?: readonly CollectedSpan[] }[];
  }[];
}

/** An OpenTelemetry collector for tests that accepts JSON over HTTP. The tracer that `run` starts is global until it ends. */
export async function withOtlpCollector<T>(run: (collector: OtlpCollector) => Promise<T>): Promise<T> {
  const spans: CollectedSpan[] = [];
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    const take = (body: unknown) => {
      bodies.push(body);
      for (const { scopeSpans = [] } of (body as ExportRequest).resourceSpans ?? []) {
        for (const scope of scopeSpans) spans.push(...(scope.spans ?? []));
      }
      response.writeHead(request.url === '/v1/traces' ? 200 : 404, { 'content-type': 'application/json' }).end('{}');
    };
    json(request).then(take, () => response.writeHead(400).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    return await run({ url: `http://127.0.0.1:${port}`, spans, text: () => JSON.stringify(bodies) });
  } finally {
    server.closeAllConnections();
    server.close();
    // A process has one global tracer, and the test files of a process can each start one.
    for (const api of [trace, context, propagation]) api.disable();
  }
}
