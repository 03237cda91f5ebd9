import { mkdtemp, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { changed } from '../../core/objects.ts';
import { ConfigError } from '../../errors.ts';
import { formatBytes } from '../../core/text/format.ts';
import { runDemo, withDemoFile } from '../../dev/demo/run-demo.ts';
import { startLocalApi } from '../../local-api/index.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { establishHost } from '../checks/establish-host.ts';
import { DemoFailedError } from '../../dev/demo/worker-process.ts';

const KEY = 'sk-demo';
const TASK_QUEUE = 'longhaul-demo';
const SLOTS = 4;
/** Slow enough for the kill to occur during the upload. */
const BYTES_PER_SECOND = 100 * 1024 * 1024;

/** With eight parts, some are recorded and some are not when the worker is killed. */
const MIN_FILE_BYTES = 64 * 1024 * 1024;

/** Space for parts that are resent, and for records. */
const RESENT_BYTES = 64 * 1024 * 1024;

/** Uploads a file and kills the worker halfway. Fails unless all checks pass. */
export async function demoCommand(
  context: CliContext,
  file: string | undefined,
  options: { size: number },
): Promise<void> {
  // A missing file fails later with a separate error.
  const sizeBytes = file === undefined ? options.size : (await stat(file).catch(() => undefined))?.size;
  if (sizeBytes !== undefined && sizeBytes < MIN_FILE_BYTES) {
    throw new ConfigError(
      `the demo needs a file of at least ${formatBytes(MIN_FILE_BYTES)}, because it kills the worker during the upload`,
    );
  }
  // The local API stores a copy of the file.
  await assertRoom((sizeBytes ?? 0) * (file === undefined ? 2 : 1) + RESENT_BYTES);
  if (file !== undefined) return runOn(context, resolve(file));
  context.note(`creating a file of ${formatBytes(options.size)}`);
  await withDemoFile(options.size, (made) => runOn(context, made));
}

/**
 * Checks the space for the files of the demo. Otherwise the local API would reject parts, and the upload would wait. A
 * missing directory fails later, and not all disks report their size.
 *
 * @throws ConfigError if there is less
 */
async function assertRoom(neededBytes: number): Promise<void> {
  const disk = await statfs(tmpdir()).catch(() => undefined);
  if (!disk || disk.blocks === 0) return;
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes >= neededBytes) return;
  throw new ConfigError(
    `the demo needs ${formatBytes(neededBytes)} in ${tmpdir()}, and ${formatBytes(freeBytes)} are free. ` +
      'Free some space, set TMPDIR to a directory on another disk, or use a smaller file.',
  );
}

async function runOn(context: CliContext, file: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-demo-api-'));
  const dataDir = join(directory, 'api');
  const api = await startLocalApi({ port: 0, dataDir, apiKey: KEY, bandwidthBytesPerSecond: BYTES_PER_SECOND });
  try {
    // The user's config file can refer to keys, which the workers of the demo do not have.
    const [configFile, temporalConfigFile] = [join(directory, 'config.json'), join(directory, 'temporal.toml')];
    await writeFile(configFile, '{}');
    await writeFile(temporalConfigFile, '');
    await establishHost(context);
    const config = changed(context.config, { temporal: undefined, taskQueue: TASK_QUEUE });
    await withBackend({ ...context, config }, {}, async ({ client, address, namespace, uiUrl }) => {
      context.note(`Temporal on ${address}, Temporal UI: ${uiUrl}; local Uploads API on ${api.url}`);
      const failed = await runDemo({
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
      if (failed.length > 0) throw new DemoFailedError(`the demo failed: ${failed.join('; ')}`);
      context.note(`to see the upload in Temporal UI, run "npx longhaul dev" and open`);
      context.note(`  ${uiUrl}/namespaces/${namespace}/workflows`);
    });
  } finally {
    await api.close();
    await rm(directory, { recursive: true, force: true });
  }
}
