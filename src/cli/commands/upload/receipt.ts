import { createHash, randomUUID } from 'node:crypto';
import { open, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Receipt, UploadReceipt } from '../../../contracts/requests/receipt.ts';
import type { Source } from '../../../contracts/sources.ts';
import { nameOfSource } from '../../../core/source/names.ts';
import { errnoCause, errnoOf, ifExists } from '../../../core/text/errno-cause.ts';
import { writeJsonFile } from '../../sources/json-file.ts';
import { ConfigError, LonghaulError, SourceChangedError } from '../../../errors.ts';
import { realPlace } from '../../../sources/file/paths.ts';
import type { SourceReader } from '../../../sources/source-reader.ts';
import { Sources } from '../../../sources/sources.ts';
import type { CliContext } from '../../context.ts';
import type { Started } from '../../job/command-job.ts';
import type { UploadJob } from './check-requests.ts';
import { sourceSettingsOf } from '../../sources/source-settings.ts';
import type { UploadCommandOptions } from './options.ts';

/**
 * Checks before an upload that its receipt can be written.
 *
 * @throws ConfigError if it cannot
 */
export async function checkReceipt(options: UploadCommandOptions, files: readonly string[]): Promise<void> {
  const { receipt, detach, sha256 } = options;
  if (sha256 && receipt === undefined)
    throw new ConfigError('--sha256 adds a digest to the receipt. Add --receipt FILE, or remove --sha256.');
  if (receipt === undefined) return;
  if (files.length > 1)
    throw new ConfigError('--receipt requires a single source. Upload each file with a separate command.');
  if (detach) {
    throw new ConfigError(
      '--receipt cannot be used with --detach. Run the same command with --receipt after the upload is completed.',
    );
  }
  const path = resolve(receipt);
  try {
    const probe = join(dirname(await realPlace(path)), `.${randomUUID()}.tmp`);
    if (!(await isReplaceable(path)))
      throw new ConfigError(`--receipt does not replace ${path}, which is not a receipt. Choose another path.`);
    try {
      // A full disk rejects content, but no empty file.
      await writeFile(probe, Buffer.alloc(PROBE_BYTES), { flag: 'wx' });
    } finally {
      await rm(probe, { force: true });
    }
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** The size of a small receipt. */
const PROBE_BYTES = 4096;

const RECEIPT_START = /^\s*\{\s*"format"\s*:\s*"longhaul-receipt\//;

/** Whether nothing is lost if a receipt replaces the file: it is missing, empty or a receipt. */
async function isReplaceable(path: string): Promise<boolean> {
  const stats = await ifExists(stat(path));
  if (stats?.isDirectory()) throw new ConfigError(`--receipt must be a file, and ${path} is a directory. Add a name.`);
  if (!stats?.isFile()) return stats === undefined;
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(100), 0, 100, 0);
    return bytesRead === 0 || RECEIPT_START.test(buffer.toString('utf8', 0, bytesRead));
  } finally {
    await handle.close();
  }
}

/**
 * The receipt of an upload, and the reason why it does not contain a SHA-256 that was requested. If the upload was started
 * without it, the source is read again.
 */
export async function receiptOf(
  { config, signal }: CliContext,
  { handle, prepared }: Started<UploadJob>,
  options: UploadCommandOptions,
): Promise<{ readonly receipt: Receipt; readonly problem?: LonghaulError }> {
  const receipt = await handle.receipt({ signal });
  const uploads = receipt.kind === 'upload' ? [receipt] : receipt.pieces;
  if (!options.sha256 || uploads.every(({ sha256 }) => sha256 !== undefined)) return { receipt };
  try {
    return await Sources.with({ ...sourceSettingsOf(config), any: true }, async (sources) => ({
      receipt: await withSha256(receipt, prepared.request.source, sources, signal),
    }));
  } catch (error) {
    if (error instanceof LonghaulError) return { receipt, problem: error };
    throw error;
  }
}

/**
 * Adds the SHA-256 of the source, which is read again. Its MD5 shows that the content is that of the File.
 *
 * @param source of the upload, with the query of a URL
 * @throws SourceChangedError if the source has other content now
 */
async function withSha256(receipt: Receipt, source: Source, sources: Sources, signal: AbortSignal): Promise<Receipt> {
  const added = async <One extends UploadReceipt>(one: One): Promise<One> => {
    const sha256 = await sources.read({ ...source, range: one.source.range }, { signal }, async (reader) => {
      await reader.stat();
      const digest = await digestOf(contentOf(reader, one.bytes, signal), true, one.bytes);
      // Without an MD5, the fingerprint shows it.
      const isSame = one.md5 === null ? (await reader.stat()).fingerprint === one.fingerprint : digest.md5 === one.md5;
      return digest.bytes === one.bytes && isSame ? digest.sha256 : undefined;
    });
    if (sha256 !== undefined) return { ...one, sha256 };
    throw new SourceChangedError(
      `the source ${nameOfSource(source)} changed after the upload, so its SHA-256 is not that of the File. The receipt does not contain it.`,
    );
  };
  if (receipt.kind === 'upload') return added(receipt);
  const pieces: UploadReceipt[] = [];
  for (const piece of receipt.pieces) pieces.push(await added(piece));
  return { ...receipt, pieces };
}

/** Replaces the file, or the target of a link, atomically. Only this user can read it. @throws ConfigError if it cannot be written */
export async function writeReceipt(name: string, receipt: Receipt): Promise<void> {
  const path = resolve(name);
  try {
    await writeJsonFile(await realPlace(path), receipt, { flush: true });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function cannotWrite(path: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  const cause = code === 'ENOENT' ? `${dirname(path)} does not exist (ENOENT)` : errnoCause(code);
  const fix = ['ENOSPC', 'EDQUOT'].includes(code) ? 'Free some space, or choose' : 'Choose';
  return new ConfigError(`cannot write the receipt ${path}: ${cause}. ${fix} another path with --receipt.`);
}

/** Digests of some content, as lower-case hex. */
export interface ContentDigest {
  readonly bytes: number;
  readonly md5: string;
  /** If it was requested. */
  readonly sha256: string | undefined;
}

const READ_BYTES = 1024 * 1024;

/** Reads some content once, and stops when it has more bytes than expected: a service can send content without end. */
export async function digestOf(
  chunks: AsyncIterable<Uint8Array>,
  hasSha256: boolean,
  expectedBytes: number,
): Promise<ContentDigest> {
  const md5 = createHash('md5');
  const sha256 = hasSha256 ? createHash('sha256') : undefined;
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    md5.update(chunk);
    sha256?.update(chunk);
    if (bytes > expectedBytes) break;
  }
  return { bytes, md5: md5.digest('hex'), sha256: sha256?.digest('hex') };
}

/** The content of a source from its start to `sizeBytes`, or to its end. A chunk is overwritten by the next one. */
export async function* contentOf(
  reader: SourceReader,
  sizeBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(Math.min(READ_BYTES, sizeBytes));
  for (let at = 0; at < sizeBytes;) {
    signal.throwIfAborted();
    const read = await reader.read(buffer.subarray(0, Math.min(buffer.length, sizeBytes - at)), at);
    if (read === 0) return;
    at += read;
    yield buffer.subarray(0, read);
  }
}
