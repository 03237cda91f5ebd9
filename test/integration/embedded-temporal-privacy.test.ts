import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { listeningPorts } from '../support/listening-ports.ts';
import { serverProcesses, withStateDir } from '../support/state-dir.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';

const onLinux = process.platform === 'linux';

/** POSTs a start of a workflow, as a page of a browser can. `fetch` would not send another host. */
async function postStart(port: number, headers: Record<string, string>): Promise<number | undefined> {
  const body = JSON.stringify({ workflowType: { name: 'none' }, taskQueue: { name: 'nobody-polls' } });
  const path = `/api/v1/namespaces/default/workflows/by-web-page-${port}`;
  return new Promise((resolve) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method: 'POST', headers, timeout: 2_000 });
    request.once('response', (response) => resolve(response.resume().statusCode));
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(undefined));
    request.once('close', () => resolve(undefined));
    request.end(body);
  });
}

/** Every entry below a directory, with its permission bits in octal. */
function modesBelow(directory: string): Record<string, string> {
  const names = ['', ...(readdirSync(directory, { recursive: true }) as string[])];
  const modeOf = (name: string) => (statSync(join(directory, name)).mode & 0o777).toString(8);
  return Object.fromEntries(names.map((name) => [name, modeOf(name)]));
}

describe('the embedded server', () => {
  let umask = 0;
  beforeEach(() => {
    umask = process.umask(0);
    vi.stubEnv('OPENAI_API_KEY', 'sk-never-in-a-child');
    vi.stubEnv('LONGHAUL_SEAL_KEY', 'sk-never-in-a-child');
    vi.stubEnv('FILES_AUTHORIZATION', 'Bearer sk-never-in-a-child');
    // A proxy that accepts nothing: a call that goes there fails.
    for (const name of ['http_proxy', 'https_proxy', 'grpc_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) {
      vi.stubEnv(name, 'http://127.0.0.1:1');
    }
  });
  afterEach(() => {
    process.umask(umask);
    vi.unstubAllEnvs();
  });

  it('is private on a shared machine, with a state directory that was open, and needs no proxy', () =>
    withStateDir(async (stateDir) => {
      chmodSync(stateDir, 0o755);
      for (const name of ['named', 'spool', 'spool/old-copy']) mkdirSync(join(stateDir, name));
      for (const name of ['temporal.log', 'seal-key', 'spool/old-copy.json']) writeFileSync(join(stateDir, name), '{}');

      const temporal = await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0 });
      try {
        const modes = modesBelow(stateDir);
        expect(modes).toMatchObject({
          '': '700',
          'temporal.db': '600',
          'temporal.db-wal': '600',
          'server.1.sock': '700',
        });
        for (const [name, mode] of Object.entries(modes)) expect(`${name} ${mode}`).toMatch(/ [67]00$/);

        if (!onLinux) return;
        const processes = [temporal.pid, ...serverProcesses(stateDir)];
        expect(processes).toHaveLength(2);
        for (const pid of processes) {
          expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toMatch(/sk-never|proxy/i);
        }

        const ports = listeningPorts(temporal.pid);
        expect(ports.length, 'gRPC, Temporal UI and the HTTP API at least').toBeGreaterThanOrEqual(3);
        for (const port of ports) {
          const simple = { 'content-type': 'text/plain', origin: 'http://evil.example' };
          for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1:${port}`, `localhost:${port}`]) {
            expect(await postStart(port, { ...simple, host }), `${host} at ${port}`).not.toBe(200);
            const crossSite = { ...simple, host, 'sec-fetch-site': 'cross-site' };
            expect(await postStart(port, crossSite), `${host} at ${port}`).not.toBe(200);
          }
        }
        vi.stubEnv('grpc_proxy', '');
        vi.stubEnv('https_proxy', '');
        vi.stubEnv('http_proxy', '');
        const connection = await Connection.connect({ address: temporal.address });
        try {
          expect((await new Client({ connection }).workflow.count()).count).toBe(0);
        } finally {
          await connection.close();
        }
      } finally {
        await temporal.release();
      }
    }));
});
