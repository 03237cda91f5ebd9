import { SyncCancelledError } from '../../client/sync-errors.ts';
import type { SyncHandle } from '../../client/sync-handle.ts';
import type { UploadHandle } from '../../client/upload-handle.ts';
import { UploadCancelledError } from '../../client/upload-errors.ts';
import type { RetuneInput } from '../../contracts/names.ts';
import { ConfigError } from '../../errors.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { describeSyncStatus, findSync } from '../find-sync.ts';
import { filesOf, type AnyResult } from '../upload-outcomes.ts';
import { describeStatus } from './status.ts';

interface Steering<T> {
  readonly upload: (handle: UploadHandle<AnyResult>) => Promise<T>;
  /** Left out: what only an upload can be told. */
  readonly sync?: (handle: SyncHandle) => Promise<T>;
}

/**
 * Steers one upload or sync. On the embedded server nobody else may be there to answer, so this command is the worker.
 */
async function steer<T>(context: CliContext, workflowId: string, { upload, sync }: Steering<T>): Promise<T> {
  return withBackend(context, {}, async (backend) => {
    const syncHandle = await findSync(backend, workflowId);
    const handle = syncHandle ?? backend.client.getHandle<AnyResult>(workflowId);
    const { status, taskQueue } = await handle.describe();
    if (backend.isEmbedded && status === 'RUNNING') {
      const worker = await backend.startWorker({ taskQueue, roles: ['control'] });
      void worker
        .run()
        .catch((error: unknown) => context.note(`longhaul: the worker ended: ${(error as Error).message}`));
    }
    if (!syncHandle) return upload(handle as UploadHandle);
    if (sync) return sync(syncHandle);
    throw new ConfigError(`${workflowId} is a sync; give the id of one of its uploads`);
  });
}

export async function pauseCommand(
  context: CliContext,
  workflowId: string,
  options: { stop?: boolean },
): Promise<void> {
  const words = await steer(context, workflowId, {
    upload: async (handle) =>
      describeStatus(workflowId, await handle.pause({ parts: options.stop ? 'stop' : 'finish' })),
    sync: async (handle) => describeSyncStatus(workflowId, await handle.pause()),
  });
  context.note(words);
}

export async function resumeCommand(context: CliContext, workflowId: string): Promise<void> {
  const words = await steer(context, workflowId, {
    upload: async (handle) => describeStatus(workflowId, await handle.resume()),
    sync: async (handle) => describeSyncStatus(workflowId, await handle.resume()),
  });
  context.note(words);
}

export async function retryCommand(context: CliContext, workflowId: string): Promise<void> {
  const words = await steer(context, workflowId, {
    upload: async (handle) => describeStatus(workflowId, await handle.retry()),
    sync: async (handle) => describeSyncStatus(workflowId, await handle.retry()),
  });
  context.note(words);
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
  const progress = await steer(context, workflowId, { upload: (handle) => handle.retune(input) });
  context.note(describeStatus(workflowId, progress));
}

/** Returns when the upload or sync has ended and its sessions are cancelled. */
export async function cancelCommand(context: CliContext, workflowId: string): Promise<void> {
  const { signal, note } = context;
  const cancel = async (handle: UploadHandle<AnyResult> | SyncHandle) => {
    const { status } = await handle.describe();
    if (status !== 'RUNNING') return note(`${workflowId} has ended already: ${status.toLowerCase()}`);
    await handle.cancel();
    try {
      const result = await handle.result({ signal });
      const ids = 'counts' in result ? [] : filesOf(result).map(({ id }) => id);
      const outcome = ids.length > 0 ? `: ${ids.join(', ')}` : '';
      note(`${workflowId} was completed before the cancellation reached it${outcome}`);
    } catch (error) {
      if (!(error instanceof UploadCancelledError || error instanceof SyncCancelledError)) throw error;
      note(`${workflowId} is cancelled`);
    }
  };
  await steer(context, workflowId, { upload: cancel, sync: cancel });
}
