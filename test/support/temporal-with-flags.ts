import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Connection } from '@temporalio/client';
import { pickFreePorts } from '../../src/dev/server/system.ts';
import { temporalCliForTests } from './temporal-cli.ts';
import { lighterServer } from './temporal-server.ts';
import { until } from './until.ts';

/**
 * A separate real Temporal server in memory, with settings that the shared server does not have.
 *
 * @param namespaces in addition to `default`
 */
export async function withTemporalServer(
  dynamicConfig: Readonly<Record<string, string | number>>,
  run: (address: string) => Promise<void>,
  namespaces: readonly string[] = [],
): Promise<void> {
  const { path } = await temporalCliForTests();
  const { port } = await pickFreePorts();
  const address = `127.0.0.1:${port}`;
  const settings = [
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...namespaces.flatMap((name) => ['--namespace', name]),
  ];
  const server = spawn(
    path,
    ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port), ...settings],
    { stdio: 'ignore', env: { ...process.env, ...lighterServer } },
  );
  const exited = once(server, 'exit');
  try {
    await until(() => answers(address), 'Temporal to answer');
    await run(address);
  } finally {
    server.kill('SIGKILL');
    await exited;
  }
}

async function answers(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 1000 });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}
