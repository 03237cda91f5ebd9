import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Counter, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { startMetricsServer, type MetricsServer } from '../../../../src/observe/metrics/metrics-server.ts';
import { withCaptureServer } from '../../../support/capture-server.ts';

async function withServer(
  run: (
    server: MetricsServer,
    ask: (path: string, method?: string) => Promise<{ status: number; text: string }>,
  ) => Promise<void>,
  sdkMetricsUrl?: string,
): Promise<void> {
  const registry = new Registry();
  new Counter({ name: 'ours_total', help: 'ours', registers: [registry] }).inc(3);
  const server = await startMetricsServer({ port: 0, registry, sdkMetricsUrl });
  try {
    await run(server, async (path, method = 'GET') => {
      const answer = await fetch(`${server.url}${path}`, { method });
      return { status: answer.status, text: await answer.text() };
    });
  } finally {
    await server.close();
  }
}

describe('the metrics server', () => {
  it('serves the metrics of Longhaul and of the SDK, with labels in the style of Prometheus', () => {
    const sdk = [
      'temporal_request_total{task_queue="q"} 1',
      'longhaul_uploads_started_total{namespace="n",taskQueue="q",workflowType="uploadFile"} 2',
      '',
    ].join('\n');
    return withCaptureServer({ reply: () => ({ body: sdk }) }, ({ port }) =>
      withServer(async (_, ask) => {
        const { text } = await ask('/metrics');
        expect(text).toContain('\nours_total 3\n');
        expect(text).toContain('\ntemporal_request_total{task_queue="q"} 1\n');
        expect(text).toContain(
          'longhaul_uploads_started_total{namespace="n",task_queue="q",workflow_type="uploadFile"} 2\n',
        );
      }, `http://127.0.0.1:${port}/metrics`),
    );
  });

  it('returns 500 if the metrics of the SDK are unavailable', () =>
    withCaptureServer({ reply: () => ({ status: 500 }) }, ({ port }) =>
      withServer(
        async (_, ask) =>
          expect(await ask('/metrics')).toMatchObject({ status: 500, text: expect.stringContaining('SDK') }),
        `http://127.0.0.1:${port}/metrics`,
      ),
    ));

  it('is healthy while it responds, and ready only after it is set ready', () =>
    withServer(async (server, ask) => {
      expect((await ask('/healthz')).status).toBe(200);
      expect((await ask('/readyz')).status).toBe(503);
      let asked = 0;
      server.watch(async () => ++asked > 0);
      expect((await ask('/readyz')).status).toBe(200);
      expect((await ask('/readyz')).status).toBe(200);
      expect(asked, 'questions within a second').toBe(1);
      server.watch(() => Promise.reject(new Error('no Temporal')));
      expect((await ask('/readyz')).status).toBe(503);
      expect((await ask('/healthz')).status).toBe(200);
    }));

  it('returns 404 for other paths and 405 for other methods', () =>
    withServer(async (_, ask) => {
      expect((await ask('/')).status).toBe(404);
      expect((await ask('/healthz', 'POST')).status).toBe(405);
    }));

  it.each(['::1', '[::1]'])('listens on %s', async (host) => {
    const server = await startMetricsServer({ port: 0, host, registry: new Registry() });
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await server.close();
  });

  it('reports the address of a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(startMetricsServer({ port, registry: new Registry() })).rejects.toThrow(
      `cannot serve metrics on 127.0.0.1:${port}: the address is in use (EADDRINUSE). Use another --metrics-port.`,
    );
    other.close();
    const elsewhere = startMetricsServer({ port: 0, host: '192.0.2.1', registry: new Registry() });
    await expect(elsewhere).rejects.toThrow(
      'cannot serve metrics on 192.0.2.1:0: this machine does not have that address',
    );
  });
});
