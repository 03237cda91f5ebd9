import { JobFailedError } from '../../../client/errors.ts';
import type { JobResult } from '../../../client/jobs.ts';
import type { SplitUploadResult } from '../../../contracts/split.ts';
import { formatBytes, formatCount, formatDuration } from '../../../core/text/format.ts';
import type { CliContext } from '../../context.ts';
import { isHttpUrl } from '../../../sources/source-of-url.ts';
import type { Outcome, Started } from '../../job/run-jobs.ts';
import type { UploadJob } from './run.ts';
import { errorText } from '../../errors/exit.ts';
import { jsonErrorOf } from '../../errors/json-errors.ts';

type UploadOutcome = Outcome<UploadJob>;
type AnyResult = JobResult<'upload' | 'split'>;

interface TellOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The Files that an upload made, in the order of the source. */
export function filesOf(result: AnyResult): SplitUploadResult['files'] {
  return 'files' in result ? result.files : [result.file];
}

/** The argument that names a source, without the query of a URL: it can be a signature. */
export function sourceOf(argument: string): string {
  return isHttpUrl(argument) ? argument.replace(/[?#].*$/s, '') : argument;
}

export function tellDetached(
  context: CliContext,
  started: readonly Started<UploadJob>[],
  { json, quiet }: TellOptions,
): void {
  const { out, note } = context;
  for (const { source, handle } of started) {
    const { workflowId, resumed } = handle;
    if (json) context.json({ source, workflowId, resumed });
    else out(workflowId);
  }
  if (!quiet) note('the upload continues without this command. "longhaul status ID" prints its progress.');
}

/** @throws the first error of an upload that failed, after all are printed; `--json` has printed each when it ended */
export function tellOutcomes(context: CliContext, outcomes: readonly UploadOutcome[], options: TellOptions): void {
  const { note } = context;
  if (!options.quiet) for (const outcome of outcomes) tellFigures(context, outcome);
  if (!options.json) for (const { result } of outcomes) if (result) tellFiles(context, result, outcomes.length > 1);
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const [first] = failed;
  if (!first) return;
  for (const { name, error } of failed.slice(1)) note(`longhaul: ${name}: ${errorText(error)}`);
  throw first.error;
}

function tellFiles({ out }: CliContext, result: AnyResult, withNames: boolean): void {
  for (const { id, filename } of filesOf(result)) out(withNames || 'files' in result ? [id, filename] : id);
}

function tellFigures({ note }: CliContext, { name, handle, isOld, result }: UploadOutcome): void {
  if (!result) return;
  if (isOld) {
    note(`${name}: ${formatBytes(result.bytes)} · uploaded already, nothing was sent`);
    return;
  }
  const receipts = 'files' in result ? result.pieces : [result];
  const rate = formatBytes(result.bytes / Math.max(result.durationMs / 1000, 0.001));
  const parts = receipts.reduce((sum, receipt) => sum + receipt.parts, 0);
  const again = receipts.reduce((sum, receipt) => sum + receipt.partsSent, 0) - parts;
  const words = [`${formatBytes(result.bytes)} in ${formatDuration(result.durationMs)} (${rate}/s)`];
  if ('files' in result) words.push(formatCount(result.files.length, 'File'));
  words.push(formatCount(parts, 'part'));
  if (again > 0) words.push(`${formatCount(again, 'attempt')} repeated`);
  if (handle.resumed) words.push('begun by an earlier command');
  note(`${name}: ${words.join(' · ')}`);
}

/** The JSON of one upload: its result, or why it has none. */
export function outcomeJson({ source, handle, result, error }: UploadOutcome): object {
  const { workflowId, resumed } = handle;
  if (result) return { source, ...result, resumed };
  const { pieces } = error instanceof JobFailedError ? error : {};
  return { source, workflowId, resumed, error: jsonErrorOf(error), pieces };
}
