import { withBackend } from '../backend.ts';
import { interrupted, type CliContext } from '../context.ts';

export interface WorkerCommandOptions {
  readonly slots?: number;
  readonly roles?: ('control' | 'transfer')[];
}

/** Serves uploads until it is told to stop. */
export async function workerCommand(context: CliContext, options: WorkerCommandOptions): Promise<void> {
  await withBackend(context, { isService: true }, async ({ startWorker, address, uiUrl }) => {
    const worker = await startWorker({
      ...(options.slots === undefined ? {} : { transferSlots: options.slots }),
      ...(options.roles === undefined ? {} : { roles: options.roles }),
    });
    const running = worker.run();
    context.note(`worker on ${address} serves ${worker.taskQueues.join(', ')}`);
    if (uiUrl) context.note(`Temporal UI: ${uiUrl}`);
    await Promise.race([running, interrupted(context.signal)]);
    await worker.shutdown();
  });
}
