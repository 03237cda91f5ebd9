import { acquireEmbeddedTemporal } from '../dev/server/join.ts';
import type { CliContext } from './context.ts';

/** Joins or starts the embedded server, and adds a function that releases it to `closers`. */
export async function embed(context: CliContext, onWait: () => void, closers: (() => Promise<void>)[]) {
  const { config, note, signal, interrupt } = context;
  const { stateDir, temporalCliPath, pathEnv, proxies } = config;
  const findCli = async (version?: string) => {
    // Only the command that starts the server needs these. An HTTP client takes 0.1 s of CPU time to load.
    const { resolveTemporalCli } = await import('../dev/temporal-cli/temporal-cli.ts');
    const { createDispatcher } = await import('../network/proxied-dispatcher.ts');
    const { proxyChooser } = await import('../network/proxy.ts');
    const chooseProxy = proxyChooser(undefined, proxies);
    return resolveTemporalCli({
      explicitPath: temporalCliPath,
      pathEnv,
      // Without a home directory, reading it fails.
      get cacheDir() {
        return config.cacheDir;
      },
      dispatcher: createDispatcher({ connectTimeoutMs: 10_000, agent: {}, chooseProxy }),
      log: note,
      version,
      signal,
    });
  };
  const server = await acquireEmbeddedTemporal({
    stateDir,
    cli: () => findCli(),
    // A path of the user is not replaced.
    cliOfVersion: async (version) => (temporalCliPath ? undefined : findCli(version).catch(() => undefined)),
    onWait,
    log: note,
    lingerMs: config.lingerMs,
    onLost: interrupt,
  });
  closers.push(() => server.release());
  const { address, namespace, uiUrl } = server;
  return {
    address,
    namespace,
    uiUrl,
    get pid() {
      return server.pid;
    },
    connectionOptions: { address },
  };
}
