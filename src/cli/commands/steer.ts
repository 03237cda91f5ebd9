import type { UploadHandle } from '../../client/upload-handle.ts';
import { UploadCancelledError } from '../../client/upload-errors.ts';
import type { RetuneInput } from '../../contracts/names.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { filesOf, type AnyResult } from '../upload-outcomes.ts';
import { describeStatus } from './status.ts';

/** Runs `steer` on one upload. On the embedded server nobody else may be there to answer, so this command is the worker. */
async function onUpload<T>(
  context: CliContext,
  workflowId: string,
  steer: (handle: UploadHandle<AnyResult>) => Promise<T>,
): Promise<T> {
  return withBackend(context, {}, async (backend) => {
    const handle = backend.client.getHandle<AnyResult>(workflowId);
    const { status, taskQueue } = await handle.describe();
    if (backend.isEmbedded && status === 'RUNNING') {
      const worker = await backend.startWorker({ taskQueue, roles: ['control'] });
      void worker
        .run()
        .catch((error: unknown) => context.note(`longhaul: the worker ended: ${(error as Error).message}`));
    }
    return steer(handle);
  });
}

export async function pauseCommand(
  context: CliContext,
  workflowId: string,
  options: { stop?: boolean },
): Promise<void> {
  const progress = await onUpload(context, workflowId, (handle) =>
    handle.pause({ parts: options.stop ? 'stop' : 'finish' }),
  );
  context.note(describeStatus(workflowId, progress));
}

export async function resumeCommand(context: CliContext, workflowId: string): Promise<void> {
  const progress = await onUpload(context, workflowId, (handle) => handle.resume());
  context.note(describeStatus(workflowId, progress));
}

export async function retryCommand(context: CliContext, workflowId: string): Promise<void> {
  const progress = await onUpload(context, workflowId, (handle) => handle.retry());
  context.note(describeStatus(workflowId, progress));
}

export async function retuneCommand(
  context: CliContext,
  workflowId: string,
  options: { concurrency?: number; partSize?: number },
): Promise<void> {
  const { concurrency, partSize } = options;
  const input: RetuneInput = {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(partSize === undefined ? {} : { partSizeBytes: partSize }),
  };
  const progress = await onUpload(context, workflowId, (handle) => handle.retune(input));
  context.note(describeStatus(workflowId, progress));
}

/** Returns when the upload has ended and its session is cancelled. */
export async function cancelCommand(context: CliContext, workflowId: string): Promise<void> {
  await onUpload(context, workflowId, async (handle) => {
    const { status } = await handle.describe();
    if (status !== 'RUNNING') return context.note(`${workflowId} has ended already: ${status.toLowerCase()}`);
    await handle.cancel();
    try {
      const result = await handle.result({ signal: context.signal });
      const ids = filesOf(result).map(({ id }) => id);
      context.note(`${workflowId} was completed before the cancellation reached it: ${ids.join(', ')}`);
    } catch (error) {
      if (!(error instanceof UploadCancelledError)) throw error;
      context.note(`${workflowId} is cancelled`);
    }
  });
}
