import { join } from 'node:path';
import { startLocalApi } from '../../local-api/index.ts';
import { withDefaultDestination } from '../../config/destinations.ts';
import { withBackend } from '../backend.ts';
import { shownLocalKey } from './local-api.ts';
import { establishHost } from '../checks/establish-host.ts';
import { interrupted, type CliContext } from '../context.ts';
import { permittedSources, type PermissionOptions } from '../options/permission-options.ts';

/** For an API that accepts any key. */
const ANY_KEY = 'sk-local';

/** Runs Temporal, the local API and a worker until it is interrupted. */
export async function devCommand(
  context: CliContext,
  options: PermissionOptions & { port: number; data?: string },
): Promise<void> {
  await establishHost(context);
  const sources = permittedSources(context, options);
  const { localApiKey } = context.config;
  const api = await startLocalApi({
    apiKey: localApiKey,
    port: options.port,
    dataDir: options.data ?? join(context.config.stateDir, 'local-api'),
  });
  try {
    const config = withDefaultDestination(context.config, { baseUrl: api.url, apiKey: localApiKey ?? ANY_KEY });
    await withBackend(
      { ...context, config },
      { logLevel: 'error', needsWorker: true },
      async ({ client, startWorker, address, uiUrl }) => {
        const worker = await startWorker(sources);
        const running = worker.run();
        context.note(`Temporal on ${address}${uiUrl ? `, Temporal UI: ${uiUrl}` : ''}`);
        context.note(`worker polls ${worker.taskQueues.join(', ')}`);
        context.note(`local Uploads API on ${api.url}; in another terminal:`);
        const direct = context.config.proxies ? ' no_proxy=127.0.0.1' : '';
        context.note(`  export OPENAI_BASE_URL=${api.url} OPENAI_API_KEY=${shownLocalKey(context.config)}${direct}`);
        context.note('  longhaul upload FILE --purpose batch');
        context.note('programs that use the library also need:');
        context.note(`  export TEMPORAL_ADDRESS=${address} LONGHAUL_TASK_QUEUE=${client.taskQueue}`);
        await Promise.race([running, interrupted(context.signal)]);
        await worker.shutdown();
      },
    );
  } finally {
    await api.close();
  }
}
