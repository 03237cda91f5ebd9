import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { requireDestination } from '../../../config/destinations.ts';
import { checkRequest } from '../../../contracts/requests/problems.ts';
import { receiptSchema, type Receipt, type UploadReceipt } from '../../../contracts/requests/receipt.ts';
import type { Source } from '../../../contracts/sources.ts';
import { isPlainObject } from '../../../core/payload.ts';
import { nameOfSource } from '../../../core/source/names.ts';
import { formatBytes } from '../../../core/text/format.ts';
import { createDestination } from '../../../destinations/kinds.ts';
import type { Destination } from '../../../destinations/port.ts';
import { ApiError, ConfigError, LonghaulError, SourceError } from '../../../errors.ts';
import { fileProblem, readSettingsFile } from '../../../network/watched-files.ts';
import { assertNoOtherUrl, isSourceUrl, sourceOfUrl } from '../../../sources/source-of-url.ts';
import { sealKeyOf } from '../../../sources/source-settings.ts';
import { Sources } from '../../../sources/sources.ts';
import type { CliContext } from '../../context.ts';
import { contentOf, digestOf, type ContentDigest } from '../upload/receipt.ts';
import { connectionProblem } from '../../options/request-options.ts';
import { AlreadyReported } from '../../errors.ts';
import { sourceSettingsOf } from '../../sources/source-settings.ts';
import { describeCheck, fail, ok, warn, type Check, type Finding } from '../doctor/check.ts';
import { parseJson } from '../../../core/text/parse.ts';

interface VerifyCommandOptions {
  readonly source?: string;
  readonly connection?: string;
  readonly destination?: string;
  /** False with `--no-file`. */
  readonly file: boolean;
  readonly json?: boolean;
}

/** Where the content of a source is read. `query`: of a URL. */
interface NamedSource {
  readonly source: Source;
  readonly query?: string | undefined;
}

/**
 * Compares a receipt with its source, and with the File at the service. Fails if one of them differs; a File whose content
 * the service does not return is a warning.
 */
export async function verifyCommand(context: CliContext, path: string, options: VerifyCommandOptions): Promise<void> {
  if (options.connection !== undefined && options.source === undefined) {
    throw new ConfigError('--connection requires --source s3://BUCKET/KEY. Remove it: a receipt names its connection.');
  }
  const problem = connectionProblem(options.connection, [options.source ?? '']);
  if (problem !== undefined) throw new ConfigError(problem);
  const receipt = readReceipt(path);
  const settings = sourceSettingsOf(context.config);
  const sources = new Sources({ ...settings, any: true });
  const checks: Check[] = [];
  const print = (name: string, finding: Finding) => {
    const check = { name, ...finding };
    checks.push(check);
    if (!options.json) context.out(describeCheck(check));
  };
  const all: readonly UploadReceipt[] = receipt.kind === 'split' ? receipt.pieces : [receipt];
  const [first] = all as [UploadReceipt];
  const found = destinationOf(context, first, options);
  try {
    const named = options.source === undefined ? undefined : await namedSource(options.source, options, context);
    const sourceOf = (one: UploadReceipt, range: Source['range']): NamedSource => {
      const { source, query }: NamedSource = named ?? one;
      return { source: { ...source, range }, query };
    };
    if (receipt.kind === 'split') {
      const whole = sourceOf(first, undefined);
      print(nameOf(whole), await checkSize(sources, whole, receipt.bytes));
    }
    for (const one of all) {
      const source = sourceOf(one, one.source.range);
      const { finding, digest } = await checkSource(sources, one, source, context.signal);
      print(nameOf(source), finding);
      if (!options.file) continue;
      const md5 = one.md5 ?? digest?.md5;
      const file =
        typeof found === 'string' ? warn(`not compared: ${found}`) : await checkFile(found, one, md5, context.signal);
      print(`File ${one.file.id}`, file);
    }
  } finally {
    await sources.close();
    if (typeof found === 'object') await found.close();
  }
  const verified = checks.every(({ status }) => status !== 'fail');
  if (options.json) context.json({ verified, checks });
  if (!verified) throw new AlreadyReported();
}

/** More than that of a split upload of 500 Files with the usual size of parts. */
const MAX_RECEIPT_BYTES = 256 * 1024 * 1024;

/** @throws ConfigError */
function readReceipt(path: string): Receipt {
  const unusable = (problem: string) => new ConfigError(`${problem}. Use a file that "upload --receipt" wrote.`);
  let text: string;
  try {
    text = readSettingsFile(path, MAX_RECEIPT_BYTES);
  } catch (error) {
    throw unusable(`the receipt ${path} ${fileProblem(error)}`);
  }
  const value = parseJson(text);
  if (value === undefined) throw unusable(`${path} is not a receipt: it is not JSON`);
  if (!isPlainObject(value)) throw unusable(`${path} is not a receipt: it is not an object`);
  const { problems, full } = checkRequest(receiptSchema, value);
  if (full) return full;
  throw unusable(`${path} is not a receipt: ${problems.join('; ')}`);
}

/** The destination of the receipt; or the reason why it cannot be used here. */
function destinationOf(
  { config }: CliContext,
  receipt: UploadReceipt,
  options: VerifyCommandOptions,
): Destination | string {
  if (!options.file) return '';
  const name = options.destination ?? receipt.destination;
  try {
    return createDestination(requireDestination(config, name));
  } catch (error) {
    if (!(error instanceof ConfigError) || options.destination !== undefined) throw error;
    return error.message;
  }
}

async function namedSource(
  name: string,
  { connection }: VerifyCommandOptions,
  { config }: CliContext,
): Promise<NamedSource> {
  if (isSourceUrl(name)) return sourceOfUrl(name, { connection, sealKey: sealKeyOf(sourceSettingsOf(config)) });
  assertNoOtherUrl(name);
  return { source: { type: 'file', path: await realpath(name).catch(() => resolve(name)) } };
}

function nameOf({ source }: NamedSource): string {
  const { range } = source;
  const bytes = range ? ` (bytes ${range.offsetBytes} to ${range.offsetBytes + range.sizeBytes - 1})` : '';
  return `source ${nameOfSource(source)}${bytes}`;
}

async function checkSize(sources: Sources, { source, query }: NamedSource, bytes: number): Promise<Finding> {
  try {
    const { sizeBytes } = await sources.read(source, { query }, (reader) => reader.stat());
    return sizeBytes === bytes ? ok(formatBytes(bytes)) : otherSize(sizeBytes, bytes);
  } catch (error) {
    return unreadable(error);
  }
}

async function checkSource(
  sources: Sources,
  { bytes, md5, sha256, fingerprint, source: recorded }: UploadReceipt,
  { source, query }: NamedSource,
  signal: AbortSignal,
): Promise<{ readonly finding: Finding; readonly digest?: ContentDigest }> {
  try {
    return await sources.read(source, { query, signal }, async (reader) => {
      const now = await reader.stat();
      if (now.sizeBytes !== bytes) return { finding: otherSize(now.sizeBytes, bytes) };
      const digest = await digestOf(contentOf(reader, bytes, signal), sha256 !== undefined, bytes);
      const isSame = source.type === recorded.type && nameOfSource(source) === nameOfSource(recorded);
      const note = isSame && now.fingerprint !== fingerprint ? '. Its fingerprint changed, its content did not' : '';
      if (digest.bytes !== bytes) return { finding: fail(`ended after ${digest.bytes} of ${bytes} bytes`) };
      if (md5 !== null && digest.md5 !== md5)
        return { finding: fail(`has the MD5 ${digest.md5}, and the receipt has ${md5}`) };
      if (digest.sha256 !== sha256)
        return { finding: fail(`has the SHA-256 ${digest.sha256}, and the receipt has ${sha256}`) };
      const digests = digestText(md5 ?? undefined, sha256);
      if (digests === '') return { finding: warn(`${formatBytes(bytes)}. The receipt has no MD5`), digest };
      return { finding: ok(`${formatBytes(bytes)}, ${digests}${note}`), digest };
    });
  } catch (error) {
    signal.throwIfAborted();
    return { finding: unreadable(error) };
  }
}

function otherSize(found: number, bytes: number): Finding {
  return fail(`has ${found} bytes, and the receipt has ${bytes}`);
}

function digestText(md5: string | undefined, sha256: string | undefined): string {
  const digests = [md5 !== undefined && `MD5 ${md5}`, sha256 !== undefined && `SHA-256 ${sha256}`];
  return digests.filter(Boolean).join(', ');
}

function unreadable(error: unknown): Finding {
  if (!(error instanceof LonghaulError)) throw error;
  const message = error instanceof SourceError ? error.messageFor('compare') : error.message;
  return fail(message, 'set its current path or URL with --source');
}

/** Statuses with which a service rejects the content of some purposes, or of all Files. */
const NO_CONTENT = [400, 403, 404, 405, 501];

async function checkFile(
  { files }: Destination,
  { file, bytes, sha256 }: UploadReceipt,
  md5: string | undefined,
  signal: AbortSignal,
): Promise<Finding> {
  let isFound = false;
  try {
    const now = await files.retrieve(file.id, { signal });
    isFound = true;
    if (now.bytes !== null && now.bytes !== bytes) return otherSize(now.bytes, bytes);
    const content = (await files.read(file.id, { signal })) as AsyncIterable<Uint8Array>;
    const digest = await digestOf(content, sha256 !== undefined, bytes);
    if (digest.bytes > bytes) return fail(`has more than the ${bytes} bytes of the receipt`);
    if (digest.bytes !== bytes) return otherSize(digest.bytes, bytes);
    if (digest.sha256 !== sha256) return fail(`has the SHA-256 ${digest.sha256}, expected ${sha256}`);
    if (md5 !== undefined && digest.md5 !== md5) return fail(`has the MD5 ${digest.md5}, expected ${md5}`);
    // The line of the source has its SHA-256.
    const digests = digestText(md5, md5 === undefined ? sha256 : undefined);
    if (digests === '') return warn(`${formatBytes(bytes)}. Neither the receipt nor the source has an MD5`);
    return ok(`${formatBytes(bytes)}, ${digests}`);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof LonghaulError)) throw error;
    const status = error instanceof ApiError ? error.details.status : 0;
    if (!isFound && (status === 404 || status === 410)) return fail(`does not exist: ${error.message}`);
    if (!isFound || !NO_CONTENT.includes(status)) return fail(`cannot be compared: ${error.message}`);
    const message = `the service does not return the content of this File (purpose ${file.purpose}): ${error.message}`;
    return warn(`${formatBytes(bytes)}. Content not compared, because ${message}`);
  }
}
