import { JobFailedError } from '../../../client/errors.ts';
import type { JobResult } from '../../../client/jobs.ts';
import type { SplitUploadResult } from '../../../contracts/split.ts';
import { formatBytes, formatCount, formatDuration } from '../../../core/text/format.ts';
import type { CliContext } from '../../context.ts';
import { isHttpUrl } from '../../../sources/source-of-url.ts';
import type { Outcome } from '../../job/command-job.ts';
import type { UploadJob } from './check-requests.ts';
import { errorText, jsonErrorOf } from '../../errors.ts';
import type { UploadCommandOptions } from './options.ts';

type UploadOutcome = Outcome<UploadJob>;

/** Returns the Files of an upload, in the order of the source. */
export function filesOf(result: JobResult<'upload' | 'split'>): SplitUploadResult['files'] {
  return 'files' in result ? result.files : [result.file];
}

/** Returns the argument of a source, without the query of a URL, which can be a signature. */
export function sourceOf(argument: string): string {
  return isHttpUrl(argument) ? argument.replace(/[?#].*$/s, '') : argument;
}

/** @throws the first error of an upload, after all are printed; with `--json`, each was printed when its upload closed */
export function printOutcomes(
  context: CliContext,
  outcomes: readonly UploadOutcome[],
  options: Pick<UploadCommandOptions, 'json' | 'quiet'>,
): void {
  if (!options.quiet) for (const outcome of outcomes) printFigures(context, outcome);
  for (const { result } of options.json ? [] : outcomes) {
    if (!result) continue;
    const withNames = outcomes.length > 1 || 'files' in result;
    for (const { id, filename } of filesOf(result)) context.out(withNames ? [id, filename] : id);
  }
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const [first] = failed;
  if (!first) return;
  for (const { name, error } of failed.slice(1)) context.note(`longhaul: ${name}: ${errorText(error)}`);
  throw first.error;
}

function printFigures({ note }: CliContext, { name, handle, isOld, result }: UploadOutcome): void {
  if (!result) return;
  if (isOld) return note(`${name}: ${formatBytes(result.bytes)} · already uploaded, sent nothing`);
  const receipts = 'files' in result ? result.pieces : [result];
  const rate = formatBytes(result.bytes / Math.max(result.durationMs / 1000, 0.001));
  const parts = receipts.reduce((sum, receipt) => sum + receipt.parts, 0);
  const again = receipts.reduce((sum, receipt) => sum + receipt.partsSent, 0) - parts;
  const words = [`${formatBytes(result.bytes)} in ${formatDuration(result.durationMs)} (${rate}/s)`];
  if ('files' in result) words.push(formatCount(result.files.length, 'File'));
  words.push(formatCount(parts, 'part'));
  if (again > 0) words.push(`${formatCount(again, 'attempt')} repeated`);
  if (handle.resumed) words.push('started by an earlier command');
  note(`${name}: ${words.join(' · ')}`);
  for (const warning of new Set(receipts.flatMap((receipt) => receipt.warnings ?? []))) note(`${name}: ${warning}`);
}

export function outcomeJson({ source, handle, result, error }: UploadOutcome): object {
  const { workflowId, resumed } = handle;
  if (result) return { source, ...result, resumed };
  const { pieces } = error instanceof JobFailedError ? error : {};
  return { source, workflowId, resumed, error: jsonErrorOf(error), pieces };
}
