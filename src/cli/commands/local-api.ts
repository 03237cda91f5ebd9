import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalApi } from '../../local-api/index.ts';
import { interrupted, type CliContext } from '../context.ts';

interface LocalApiCommandOptions {
  readonly port: number;
  readonly host?: string;
  readonly allowHost?: readonly string[];
  readonly data?: string;
  readonly key?: string;
  readonly bandwidth?: number;
  readonly latency?: number;
  readonly listLag?: number;
  readonly sessionLife?: number;
  readonly strictSums?: boolean;
  readonly azure?: boolean;
}

/** The text that a shell expands to the key, so that a key from the environment is not printed. */
export function shownLocalKey({ localApiKey }: CliContext['config']): string {
  return localApiKey === undefined ? 'sk-local' : '"$LONGHAUL_LOCAL_API_KEY"';
}

export async function localApiCommand(context: CliContext, options: LocalApiCommandOptions): Promise<void> {
  const { port, host, allowHost, data, bandwidth, latency, listLag, sessionLife, strictSums, azure } = options;
  const key = options.key ?? context.config.localApiKey;
  const dataDir = data ?? (await mkdtemp(join(tmpdir(), 'longhaul-local-api-')));
  try {
    const api = await startLocalApi({
      port,
      dataDir,
      host,
      allowedHosts: allowHost,
      apiKey: key,
      bandwidthBytesPerSecond: bandwidth,
      latencyMs: latency,
      listLagMs: listLag,
      sessionLifeSeconds: sessionLife,
      strictSums,
      azure,
    });
    context.note(`local Uploads API on ${api.url}, data in ${dataDir}`);
    const shownKey = options.key ?? shownLocalKey(context.config);
    const variables = azure
      ? `AZURE_OPENAI_ENDPOINT=${new URL(api.url).origin} AZURE_OPENAI_API_KEY=${shownKey}    # for --destination azure`
      : `OPENAI_BASE_URL=${api.url} OPENAI_API_KEY=${shownKey}`;
    context.note(`  export ${variables}`);
    await interrupted(context.signal);
    await api.close();
  } finally {
    if (data === undefined) await rm(dataDir, { recursive: true, force: true });
  }
}
