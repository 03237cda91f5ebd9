import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, interceptors, request, type Dispatcher } from 'undici';
import { userAgent } from '../../longhaul-version.ts';
import * as z from 'zod';
import { runCommand } from './run-command.ts';
import { PINNED_VERSION } from './temporal-cli-pin.ts';

/** Download service from which each Temporal SDK gets its development server. */
const DOWNLOAD_BASE_URL = 'https://temporal.download';

const infoSchema = z.object({
  archiveUrl: z.url(),
  // A path within the archive, which cannot leave the directory.
  fileToExtract: z
    .string()
    .regex(/^\w[\w./-]*$/)
    .refine((path) => !path.split('/').includes('..')),
});

export interface CliDownloadOptions {
  /** @defaultValue the SDKs' download service */
  readonly baseUrl?: string | undefined;
  readonly dispatcher?: Dispatcher | undefined;
  readonly signal?: AbortSignal | undefined;
}

async function get(
  url: string,
  dispatcher: Dispatcher,
  signal: AbortSignal | undefined,
): Promise<Dispatcher.ResponseData> {
  const response = await request(url, {
    headers: { 'user-agent': userAgent() },
    dispatcher,
    signal,
    headersTimeout: 15_000,
    bodyTimeout: 30_000,
  });
  if (response.statusCode === 200) return response;
  await response.body.dump();
  throw new Error(`${url} returned ${response.statusCode}`);
}

async function downloadThrough(
  dispatcher: Dispatcher,
  directory: string,
  { baseUrl = DOWNLOAD_BASE_URL, signal }: CliDownloadOptions,
): Promise<string> {
  const follow = dispatcher.compose(interceptors.redirect({ maxRedirections: 5 }));
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const query = new URLSearchParams({ arch, platform: process.platform, format: 'tar.gz' });
  const answer = await get(`${baseUrl}/cli/v${PINNED_VERSION}?${query.toString()}`, follow, signal);
  const { archiveUrl, fileToExtract } = infoSchema.parse(await answer.body.json());

  const archive = join(directory, 'archive.tar.gz');
  const { body } = await get(archiveUrl, follow, signal);
  await pipeline(body, createWriteStream(archive), { signal });
  const unpack = ['-xzf', archive, '-C', directory, fileToExtract];
  const { failure } = await runCommand('tar', unpack, { timeoutMs: 120_000, signal, cwd: directory });
  if (failure !== null) throw new Error(`cannot unpack the archive: ${failure}`);
  return join(directory, fileToExtract);
}

/**
 * Downloads the pinned version as the SDK's test package does: the download service names the archive of this platform,
 * which contains the executable. (The SDK offers this only together with a server that it stops again.)
 *
 * @returns the path of the executable in `directory`. The caller checks its digest.
 */
export async function downloadTemporalCli(directory: string, options: CliDownloadOptions): Promise<string> {
  if (options.dispatcher !== undefined) return downloadThrough(options.dispatcher, directory, options);
  const dispatcher = new EnvHttpProxyAgent();
  try {
    return await downloadThrough(dispatcher, directory, options);
  } finally {
    await dispatcher.destroy();
  }
}
