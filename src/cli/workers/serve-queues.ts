import type { Backend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { errorText } from '../errors.ts';
import { commandSources } from '../sources/source-settings.ts';

/**
 * Returns a function that starts a worker for the workflows of a task queue, once for each queue. On the embedded server,
 * there can be no other worker, so the command itself must respond to queries and updates.
 */
export function queueServer(context: CliContext, backend: Backend): (taskQueue: string) => Promise<void> {
  const served = new Map<string, Promise<void>>();
  const start = async (taskQueue: string) => {
    const worker = await backend.startWorker(commandSources(context.config), { taskQueue, roles: ['control'] });
    void worker.run().catch((error: unknown) => context.note(`longhaul: the worker stopped: ${errorText(error)}`));
  };
  return async (taskQueue) => {
    if (!backend.isEmbedded) return;
    const starting = served.get(taskQueue) ?? start(taskQueue);
    served.set(taskQueue, starting);
    await starting;
  };
}
