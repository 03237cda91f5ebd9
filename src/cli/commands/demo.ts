import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { formatBytes } from '../../core/text/format.ts';
import { runDemo, withDemoFile } from '../../dev/demo/run-demo.ts';
import { startLocalApi } from '../../local-api/index.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { establishHost } from '../establish-host.ts';
import { DemoFailedError } from '../../dev/demo/worker-process.ts';

const KEY = 'sk-demo';
const TASK_QUEUE = 'longhaul-demo';
const SLOTS = 4;
/** Slow enough that the kill hits the middle, fast enough that nobody waits. */
const BYTES_PER_SECOND = 100 * 1024 * 1024;

/** Shows on this machine what Longhaul promises. Fails unless all of it is true. */
export async function demoCommand(
  context: CliContext,
  file: string | undefined,
  options: { size: number },
): Promise<void> {
  if (file !== undefined) return runOn(context, resolve(file));
  context.note(`making a file of ${formatBytes(options.size)}`);
  await withDemoFile(options.size, (made) => runOn(context, made));
}

async function runOn(context: CliContext, file: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-demo-api-'));
  const dataDir = join(directory, 'api');
  const api = await startLocalApi({ port: 0, dataDir, apiKey: KEY, bandwidthBytesPerSecond: BYTES_PER_SECOND });
  try {
    // The user's own configuration may name keys, which the workers of the demo don't get.
    const [configFile, temporalConfigFile] = [join(directory, 'config.json'), join(directory, 'temporal.toml')];
    await writeFile(configFile, '{}');
    await writeFile(temporalConfigFile, '');
    await establishHost(context);
    const config = { ...context.config, temporal: undefined, taskQueue: TASK_QUEUE };
    await withBackend({ ...context, config }, {}, async ({ client, address, namespace, uiUrl }) => {
      context.note(`Temporal on ${address}, Temporal UI: ${uiUrl}; local Uploads API on ${api.url}`);
      const untrue = await runDemo({
        client,
        api,
        apiKey: KEY,
        environment: {
          TEMPORAL_ADDRESS: address,
          TEMPORAL_CONFIG_FILE: temporalConfigFile,
          LONGHAUL_CONFIG: configFile,
          TEMPORAL_NAMESPACE: namespace,
          LONGHAUL_TASK_QUEUE: TASK_QUEUE,
          LONGHAUL_HOST: config.host,
          LONGHAUL_TRANSFER_SLOTS: String(SLOTS),
          LONGHAUL_LOG_LEVEL: 'silent',
          OPENAI_BASE_URL: api.url,
          OPENAI_API_KEY: KEY,
        },
        slots: SLOTS,
        file,
        say: context.note,
        signal: context.signal,
      });
      if (untrue.length > 0) throw new DemoFailedError(`the demo showed a fault: ${untrue.join('; ')}`);
      context.note(`The whole story of the upload stays in Temporal UI: run "npx longhaul dev" and open`);
      context.note(`  ${uiUrl}/namespaces/${namespace}/workflows`);
    });
  } finally {
    await api.close();
    await rm(directory, { recursive: true, force: true });
  }
}
