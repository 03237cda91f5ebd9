import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { until } from './until.ts';
import { withTempDir } from './temp-dir.ts';

/** Why Prometheus' programs can't be used here; undefined where they can. */
export const prometheusMissing: string | undefined = ['prometheus', 'promtool'].some(
  (program) => spawnSync(program, ['--version']).status !== 0,
)
  ? 'prometheus and promtool are not on PATH; Debian has them in the package "prometheus"'
  : undefined;

export interface Prometheus {
  /** Values of an instant query, by the labels. */
  readonly query: (expr: string) => Promise<readonly Sample[]>;
  /** Alerts that are pending or firing. */
  readonly alerts: () => Promise<
    readonly { readonly labels: Readonly<Record<string, string>>; readonly state: string }[]
  >;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Runs a real Prometheus with that configuration, on a port that the system picks. */
export async function withPrometheus(
  configuration: string,
  run: (prometheus: Prometheus) => Promise<void>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const config = join(directory, 'prometheus.yml');
    await writeFile(config, configuration);
    const port = await freePort();
    const child = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const exited = once(child, 'exit');
    const url = `http://127.0.0.1:${port}`;
    try {
      await until(() => isReady(child, url, () => said), 'Prometheus to be ready', 30_000);
      await run({
        query: async (expr) => {
          const { result } = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
            `${url}/api/v1/query?${new URLSearchParams({ query: expr }).toString()}`,
          );
          return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
        },
        alerts: async () =>
          (await ask<{ alerts: { labels: Record<string, string>; state: string }[] }>(`${url}/api/v1/alerts`)).alerts,
      });
    } finally {
      child.kill('SIGTERM');
      await exited;
    }
  });
}

async function isReady(child: ChildProcess, url: string, said: () => string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`Prometheus ended:\n${said()}`);
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function ask<Data>(url: string): Promise<Data> {
  const answer = (await (await fetch(url)).json()) as { status: string; data: Data; error?: string };
  if (answer.status !== 'success') throw new Error(`Prometheus rejects ${url}: ${answer.error}`);
  return answer.data;
}
