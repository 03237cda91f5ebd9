import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

const require = createRequire(import.meta.url);

/** Commands that can run a worker, some of them only on the embedded server, to respond to queries and updates. */
export const WORKER_COMMANDS: readonly string[] = [
  'upload',
  'sync',
  'worker',
  'dev',
  'demo',
  'status',
  'cancel',
  'pause',
  'resume',
  'retry',
  'retune',
];

const CLIENT_PACKAGES = /^@temporalio\/(client|common|proto)$/;
const WORKER_PACKAGES = /^@temporalio\/(worker|activity|workflow|nexus)$/;

interface Messages {
  readonly nested?: Readonly<Record<string, Messages>>;
}

/**
 * Bundles Temporal's client for commands that run no worker, because it loads in half the time. Workers need the installed
 * SDK, which has a native part and starts threads by path. Commands with a worker use its client, too, so that they load one.
 */
export const bundledTemporalClient: Plugin = {
  name: 'bundled-temporal-client',
  setup(plugin) {
    plugin.onResolve({ filter: CLIENT_PACKAGES }, ({ path, resolveDir }) =>
      resolveDir.includes('node_modules') ? undefined : { path, namespace: 'client' },
    );
    plugin.onLoad({ filter: CLIENT_PACKAGES, namespace: 'client' }, ({ path }) => ({ contents: choiceOf(path) }));
    plugin.onResolve({ filter: WORKER_PACKAGES }, ({ path, resolveDir }) =>
      resolveDir.includes('node_modules') ? undefined : { path, namespace: 'worker' },
    );
    // An import would search all files of the package for the names of its exports (40 ms).
    plugin.onLoad({ filter: WORKER_PACKAGES, namespace: 'worker' }, ({ path }) => ({
      contents: exportsOf(path, `require('installed:${path}')`),
    }));
    plugin.onResolve({ filter: /^installed:/ }, ({ path }) => ({
      path: path.replace('installed:', ''),
      external: true,
    }));
    plugin.onResolve({ filter: /^bundled:/ }, ({ path }) => ({ path: require.resolve(path.replace('bundled:', '')) }));
    plugin.onLoad({ filter: /@temporalio.proto.protos.json-module\.js$/ }, ({ path }) => ({
      contents: usedMessages(path),
    }));
  },
};

/** A module that loads one of the two copies of a package. */
function choiceOf(name: string): string {
  const runsWorker = `${JSON.stringify(WORKER_COMMANDS)}.includes(process.argv[2])`;
  return exportsOf(name, `${runsWorker} ? require('installed:${name}') : (await import('bundled:${name}')).default`);
}

/** A module with the exports of a package. */
function exportsOf(name: string, sdk: string): string {
  // Node.js finds no names in the package of the messages.
  const names = name === '@temporalio/proto' ? [] : Object.keys(require(name) as object);
  return `
    const sdk = ${sdk};
    export default sdk;
    export const { ${names.join(', ')} } = sdk;`;
}

/** The messages of Temporal without those of its native part and of Temporal Cloud's API, which take a third of the time. */
function usedMessages(path: string): string {
  const code = readFileSync(path, 'utf8');
  const json = code.slice(code.indexOf('addJSON(') + 'addJSON('.length, code.lastIndexOf('})') + 1);
  const messages = JSON.parse(json) as Record<string, Messages>;
  const { coresdk: _core, temporal, ...others } = messages;
  const { cloud: _cloud, ...api } = temporal?.nested?.['api']?.nested ?? {};
  const used = { ...others, temporal: { nested: { api: { nested: api } } } };
  // Paths of the HTTP interface, which only a gateway uses.
  const text = JSON.stringify(used, (key, value: unknown) => (key === 'parsedOptions' ? undefined : value));
  return `
    const { roots, Root } = require('protobufjs/light');
    module.exports = (roots.__temporal ??= new Root()).addJSON(JSON.parse(${JSON.stringify(text)}));`;
}
