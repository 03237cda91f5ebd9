import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalApi } from '../../local-api/index.ts';
import { interrupted, type CliContext } from '../context.ts';

export interface LocalApiCommandOptions {
  readonly port: number;
  readonly host?: string;
  readonly data?: string;
  readonly key?: string;
  readonly bandwidth?: number;
  readonly latency?: number;
  readonly sessionLife?: number;
  readonly strictSums?: boolean;
}

/** Serves the local Uploads API until it is told to stop. */
export async function localApiCommand(context: CliContext, options: LocalApiCommandOptions): Promise<void> {
  const { port, host, data, key, bandwidth, latency, sessionLife, strictSums } = options;
  const dataDir = data ?? (await mkdtemp(join(tmpdir(), 'longhaul-local-api-')));
  try {
    const api = await startLocalApi({
      port,
      dataDir,
      ...(host === undefined ? {} : { host }),
      ...(key === undefined ? {} : { apiKey: key }),
      ...(bandwidth === undefined ? {} : { bandwidthBytesPerSecond: bandwidth }),
      ...(latency === undefined ? {} : { latencyMs: latency }),
      ...(sessionLife === undefined ? {} : { sessionLifeSeconds: sessionLife }),
      ...(strictSums === undefined ? {} : { strictSums }),
    });
    context.note(`local Uploads API on ${api.url}, data in ${dataDir}`);
    context.note(`  export OPENAI_BASE_URL=${api.url} OPENAI_API_KEY=${key ?? 'sk-local'}`);
    await interrupted(context.signal);
    await api.close();
  } finally {
    if (data === undefined) await rm(dataDir, { recursive: true, force: true });
  }
}
