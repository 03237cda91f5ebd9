import { realpath, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { configuredLimits, findDestination } from '../../../config/destinations.ts';
import type { ContentCheck, ContentReport, LineCheck, LineProblem } from '../../../contracts/content.ts';
import { Defaults, type DestinationLimits } from '../../../contracts/limits.ts';
import type { ByteRange, Source } from '../../../contracts/sources.ts';
import { filenameOfSource } from '../../../core/source/names.ts';
import type { LineIndex } from '../../../core/split/plan.ts';
import { formatCount } from '../../../core/text/format.ts';
import { nameKey } from '../../../core/text/name-form.ts';
import { lineCheckOf } from '../../../core/upload/content.ts';
import { printable } from '../../../core/text/printable.ts';
import { fileProblem, nameProblem } from '../../../core/upload/file-limits.ts';
import { ConfigError, LineTooLongError, LonghaulError, SourceError, SourceUnusableError } from '../../../errors.ts';
import { JsonlCheck, MAX_LISTED } from '../../../sources/digest/jsonl.ts';
import { pass } from '../../../sources/digest/pass.ts';
import { countLines } from '../../../sources/line-counter.ts';
import {
  assertPieceCount,
  maxLinesOfSplit,
  planPieces,
  SourceLines,
  tooManyLines,
} from '../../../sources/source-lines.ts';
import { isSourceUrl, sourceOfUrl } from '../../../sources/source-of-url.ts';
import { rangedReader, type SourceReader } from '../../../sources/source-reader.ts';
import { Sources } from '../../../sources/sources.ts';
import type { CliContext } from '../../context.ts';
import { AlreadyReported, errorText, Interrupted, jsonErrorOf } from '../../errors.ts';
import { connectionProblem, purposeProblem } from '../../options/request-options.ts';
import { sourceSettingsOf } from '../../sources/source-settings.ts';
import { expandFiles } from '../upload/expand-files.ts';
import { sourceOf } from '../upload/outcomes.ts';

export interface CheckCommandOptions {
  readonly purpose?: string;
  readonly destination?: string;
  readonly check: Exclude<ContentCheck, 'off'>;
  readonly connection?: string;
  readonly split?: boolean;
  readonly splitSize?: number;
  readonly json?: boolean;
}

const CHUNK_BYTES = 512 * 1024;

/** Result of one file. */
interface Checked extends Pick<ContentReport, 'lines' | 'invalid' | 'problems' | 'warnings'> {
  readonly bytes: number;
  /** A violation of the limits of the purpose. */
  readonly limit?: string | undefined;
  /** Of a split upload. */
  readonly pieces?: number | undefined;
}

/** Checks the content of files without sending it. Fails if one of them has a problem. */
export async function checkCommand(
  context: CliContext,
  names: readonly string[],
  options: CheckCommandOptions,
): Promise<void> {
  const { config, out, note } = context;
  const { purpose, destination = Defaults.destination, json } = options;
  findDestination(config, destination);
  const problem =
    connectionProblem(options.connection, names) ??
    (purpose === undefined ? undefined : purposeProblem(config, purpose, destination));
  if (problem !== undefined) throw new ConfigError(problem);
  if (isSplit(options) && names.includes('-')) {
    throw new ConfigError('standard input cannot be checked in pieces. Save it to a file, or remove --split.');
  }
  const check = lineCheckOf(options.check, purpose ?? '') ?? 'jsonl';
  const limits = purpose === undefined ? undefined : configuredLimits(config, destination, purpose);
  let bad = 0;
  await Sources.with(sourceSettingsOf(config), async (sources) => {
    const { files, skipped } = await expandFiles(names, { sources, connection: options.connection });
    for (const { path, failureType: code, message, isEmpty } of skipped) {
      bad++;
      const text = isEmpty ? emptyText(path) : `skipped ${path}: ${message}`;
      if (json) context.json({ source: path, ok: false, error: { code, message: text } });
      else note(`longhaul: ${text}`);
    }
    for (const file of files) {
      const source = sourceOf(file);
      try {
        const found = await checkFile(file, { context, sources, check, limits, options });
        const ok = found.invalid === 0 && found.limit === undefined;
        if (!ok) bad++;
        if (json) context.json({ source, ok, check, ...found });
        else for (const line of linesOf(source, check, found)) out(line);
      } catch (error) {
        if (!(error instanceof LonghaulError)) throw error;
        bad++;
        // An upload would fail with the same error.
        const message = error instanceof SourceError ? printable(error.messageFor('check')) : errorText(error);
        if (json) context.json({ source, ok: false, check, error: { ...jsonErrorOf(error), message } });
        else
          note(source === '-' || message.includes(source) ? `longhaul: ${message}` : `longhaul: ${source}: ${message}`);
      }
    }
  });
  if (bad > 0) throw new AlreadyReported();
}

function isSplit({ split, splitSize }: CheckCommandOptions): boolean {
  return split === true || splitSize !== undefined;
}

function linesOf(source: string, check: LineCheck, found: Checked): string[] {
  const { lines, invalid, problems, warnings, limit, pieces } = found;
  const more = invalid - problems.length;
  const inPieces = pieces === undefined ? '' : ` in ${formatCount(pieces, 'piece')}`;
  const count = `${formatCount(lines, 'line')}${inPieces}`;
  return [
    ...(limit === undefined ? [] : [`${source} ${limit}`]),
    ...problems.map(({ line, reason }) => `${source}: line ${line} ${reason}`),
    ...(more > 0 ? [`${source}: ${formatCount(more, 'more invalid line')}`] : []),
    ...warnings.map((warning) => `${source}: warning: ${warning}`),
    invalid === 0 ? `${source}: ${count}, valid (${check})` : `${source}: ${invalid} of ${count} invalid (${check})`,
  ];
}

interface CheckContext {
  readonly context: CliContext;
  readonly sources: Sources;
  readonly check: LineCheck;
  readonly limits: DestinationLimits | undefined;
  readonly options: CheckCommandOptions;
}

async function checkFile(file: string, checks: CheckContext): Promise<Checked> {
  const { context, sources, limits, options } = checks;
  if (file === '-') return checkInput(checks);
  const { signal } = context;
  const { connection, purpose = '' } = options;
  const named = isSourceUrl(file) ? sourceOfUrl(file, { connection, sealKey: () => '' }) : undefined;
  const path = await realpath(file).catch(() => resolve(file));
  if (!named && (await stat(file).catch(() => undefined))?.isFIFO())
    throw new SourceUnusableError(`cannot check ${file}: it is a pipe. Pipe its content into "longhaul check -".`);
  const source: Source = named?.source ?? { type: 'file', path };
  return sources.read(source, { query: named?.query, signal }, async (reader) => {
    const { sizeBytes } = await reader.stat();
    const filename = nameKey(named ? filenameOfSource(source) : basename(file));
    const limited = { filename, purpose, sizeBytes };
    const limit = limits && (isSplit(options) ? nameProblem : fileProblem)(limits, limited);
    const pieces = isSplit(options) ? await piecesOf(reader, sizeBytes, checks) : undefined;
    const problems: LineProblem[] = [];
    const warnings = new Set<string>();
    let [lines, invalid] = [0, 0];
    for (const range of pieces ?? [{ offsetBytes: 0, sizeBytes }]) {
      const report = await checkRange(reader, range, checks);
      // Numbers of the whole source.
      for (const { line, reason } of report.problems) {
        const inSource = reason.replace(/ of line (\d+)$/, (_, other: string) => ` of line ${lines + Number(other)}`);
        if (problems.length < MAX_LISTED) problems.push({ line: lines + line, reason: inSource });
      }
      report.warnings.forEach((warning) => warnings.add(warning));
      lines += report.lines;
      invalid += report.invalid;
    }
    return { lines, invalid, problems, warnings: [...warnings], bytes: sizeBytes, limit, pieces: pieces?.length };
  });
}

async function piecesOf(
  reader: SourceReader,
  sizeBytes: number,
  { context: { signal }, limits, options }: CheckContext,
): Promise<readonly ByteRange[]> {
  const lines = new SourceLines(reader, signal);
  const { maxLines, maxFileBytes = Infinity } = limits ?? {};
  const most = Math.min(options.splitSize ?? Infinity, maxFileBytes);
  assertPieceCount(sizeBytes, most, maxFileBytes);
  let index: LineIndex | undefined;
  if (maxLines !== undefined) {
    const isStopping = (count: number) => signal.aborted || count > maxLinesOfSplit(maxLines);
    const { counter, isWhole } = await countLines(reader, { sizeBytes, isStopping });
    if (signal.aborted) throw new Interrupted();
    if (!isWhole) throw tooManyLines(maxLines);
    index = counter.index(lines);
  }
  const outcome = await planPieces(sizeBytes, most, lines, index && maxLines ? { maxLines, index } : undefined);
  if ('pieces' in outcome) return outcome.pieces;
  throw new LineTooLongError(
    `the line that starts at byte ${outcome.longLineAtBytes} is longer than ${most} bytes, the maximum of one File. Shorten the line.`,
  );
}

/** @throws SourceChangedError if the source ends within the range */
async function checkRange(
  reader: SourceReader,
  range: ByteRange,
  { context: { signal }, check, limits }: CheckContext,
): Promise<ContentReport> {
  const { listeners, checkpoint } = await pass(rangedReader(reader, range), {
    create: () => ({ check: new JsonlCheck({ check, maxLines: limits?.maxLines, countsAll: true }) }),
    sizeBytes: range.sizeBytes,
    chunkBytes: Math.min(CHUNK_BYTES, range.sizeBytes),
    checkpointEveryMs: Infinity,
    onCheckpoint: () => {},
    isStopping: () => signal.aborted,
  });
  if (checkpoint) throw new Interrupted();
  return listeners.check.end();
}

/** Standard input, which can be read only once. */
async function checkInput({ context, check, limits, options }: CheckContext): Promise<Checked> {
  const lines = new JsonlCheck({ check, maxLines: limits?.maxLines, countsAll: true });
  let sizeBytes = 0;
  for await (const chunk of context.stdin as AsyncIterable<Buffer>) {
    if (context.signal.aborted) throw new Interrupted();
    lines.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  if (sizeBytes === 0) throw new SourceUnusableError(emptyText('standard input'));
  const limited = { filename: limits?.extensions?.map((one) => `x${one}`)[0] ?? 'x', purpose: options.purpose ?? '' };
  const limit = limits && fileProblem(limits, { ...limited, sizeBytes });
  return { ...lines.end(), bytes: sizeBytes, limit };
}

function emptyText(name: string): string {
  return `cannot check ${name}: it is empty. Choose a file with content.`;
}
