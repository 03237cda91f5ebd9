import { acquireEmbeddedTemporal } from '../dev/server/join.ts';
import { resolveTemporalCli } from '../dev/temporal-cli/temporal-cli.ts';
import { createDispatcher } from '../network/proxied-dispatcher.ts';
import { proxyChooser } from '../network/proxy.ts';
import type { CliContext } from './context.ts';

/** Joins or starts the embedded server; one of `closers` releases it. */
export async function embed({ config, note }: CliContext, onWait: () => void, closers: (() => Promise<void>)[]) {
  const { stateDir, temporalCliPath, pathEnv, proxies } = config;
  const chooseProxy = proxyChooser(undefined, proxies);
  const server = await acquireEmbeddedTemporal({
    stateDir,
    cli: async () =>
      resolveTemporalCli({
        explicitPath: temporalCliPath || undefined,
        pathEnv,
        // Only this needs it.
        cacheDir: config.cacheDir,
        dispatcher: createDispatcher({ connectTimeoutMs: 10_000, agent: {}, chooseProxy }),
        log: note,
      }),
    onWait,
    log: note,
    lingerMs: config.lingerMs,
  });
  closers.push(() => server.release());
  const { address, namespace, uiUrl } = server;
  return { address, namespace, uiUrl, connectionOptions: { address } };
}
