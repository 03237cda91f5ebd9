import { JobCancelledError } from '../../../client/errors.ts';
import type { JobHandle } from '../../../client/job-handle.ts';
import type { JobProgress } from '../../../client/jobs.ts';
import type { RetuneInput } from '../../../contracts/names.ts';
import { ConfigError } from '../../../errors.ts';
import type { CliContext } from '../../context.ts';
import { hasEnded, steer, type Steered } from './steering.ts';
import { describeStatus } from '../status/view.ts';
import { filesOf } from '../upload/outcomes.ts';

/** Options of all commands that control uploads and syncs. */
interface SteerCommandOptions {
  readonly query?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** A pause only waits for parts in flight. A low limit would delay the others, which continue to send. */
const PAUSES_AT_A_TIME = 64;

export async function pauseCommand(
  context: CliContext,
  ids: readonly string[],
  options: SteerCommandOptions & { readonly stop?: boolean },
): Promise<void> {
  await steer(
    context,
    { ids, ...options },
    {
      verb: 'pause',
      apply: async (handle) => applied(handle, await handle.pause({ parts: options.stop ? 'stop' : 'finish' })),
      concurrency: PAUSES_AT_A_TIME,
    },
    options,
  );
}

export function resumeCommand(
  context: CliContext,
  ids: readonly string[],
  options: SteerCommandOptions,
): Promise<void> {
  return unblock('resume', context, ids, options);
}

export function retryCommand(context: CliContext, ids: readonly string[], options: SteerCommandOptions): Promise<void> {
  return unblock('retry', context, ids, options);
}

async function unblock(
  verb: 'resume' | 'retry',
  context: CliContext,
  ids: readonly string[],
  options: SteerCommandOptions,
): Promise<void> {
  await steer(
    context,
    { ids, ...options },
    {
      verb,
      apply: async (handle) => applied(handle, await handle[verb]()),
    },
    options,
  );
}

export async function retuneCommand(
  context: CliContext,
  ids: readonly string[],
  options: SteerCommandOptions & {
    readonly concurrency?: number;
    readonly limit?: number;
    readonly partSize?: number;
    readonly ignoreInode?: boolean;
  },
): Promise<void> {
  const { concurrency, limit, partSize, ignoreInode } = options;
  const input: RetuneInput = {
    concurrency,
    limitBytesPerSecond: limit,
    partSizeBytes: partSize,
    ignoreInode,
  };
  if (Object.values(input).every((value) => value === undefined)) {
    throw new ConfigError('nothing to change. Use --concurrency, --limit, --part-size or --ignore-inode.');
  }
  await steer(
    context,
    { ids, ...options },
    { verb: 'retune', apply: async (handle) => applied(handle, await handle.retune(input)), isForUploads: true },
    options,
  );
}

/** Returns after the uploads and syncs have closed and their sessions are cancelled. */
export async function cancelCommand(
  context: CliContext,
  ids: readonly string[],
  options: SteerCommandOptions,
): Promise<void> {
  const apply = (handle: JobHandle) => cancelAndWait(handle, context.signal);
  await steer(context, { ids, ...options }, { verb: 'cancel', apply }, options);
}

async function cancelAndWait(handle: JobHandle, signal: AbortSignal): Promise<Steered> {
  const { workflowId } = handle;
  const { status } = await handle.describe();
  if (status !== 'RUNNING') return hasEnded(workflowId, status);
  await handle.cancel();
  try {
    const result = await handle.result({ signal });
    const files = 'counts' in result ? [] : filesOf(result).map(({ id }) => id);
    const outcome = files.length > 0 ? `: ${files.join(', ')}` : '';
    const line = `${workflowId} completed before the cancellation${outcome}`;
    return { outcome: 'ended', line, details: { status: 'COMPLETED', files } };
  } catch (error) {
    if (!(error instanceof JobCancelledError)) throw error;
    return { outcome: 'done', line: `cancelled ${workflowId}` };
  }
}

function applied({ workflowId }: JobHandle, progress: JobProgress): Steered {
  return { outcome: 'done', line: describeStatus(workflowId, progress), details: { progress } };
}
