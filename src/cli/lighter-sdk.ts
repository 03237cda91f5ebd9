import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { attempt } from '../core/objects.ts';
import { requireOfPackage } from '../package-files.ts';

interface Messages {
  readonly nested: { readonly api: { readonly nested: { cloud?: unknown } } };
}
interface Root {
  addJSON(messages: unknown): Root;
}

const MESSAGES = '@temporalio/proto/protos/json-module';

/**
 * Lets this process load Temporal's installed SDK in three quarters of the time: it loads the file system of its bundler at
 * the first use, and no messages of Temporal Cloud's API. An SDK with other files is loaded as it is.
 */
export function lightenSdk(): void {
  attempt(() => {
    const requireOfWorker = createRequire(requireOfPackage.resolve('@temporalio/worker'));
    loadMessages(createRequire(requireOfWorker.resolve(MESSAGES)));
    loadAtFirstUse(requireOfWorker, 'memfs');
  });
}

function loadAtFirstUse(require: NodeJS.Require, name: string): void {
  const path = require.resolve(name);
  const load = (): Record<string | symbol, unknown> => {
    delete require.cache[path];
    return require(path) as Record<string | symbol, unknown>;
  };
  let loaded: Record<string | symbol, unknown> | undefined;
  const get = (_: object, key: string | symbol) => (key === '__esModule' ? true : (loaded ??= load())[key]);
  provide(require, path, () => new Proxy({}, { get }));
}

function loadMessages(require: NodeJS.Require): void {
  const path = require.resolve(MESSAGES);
  provide(require, path, () => {
    const code = readFileSync(path, 'utf8');
    const json = code.slice(code.indexOf('addJSON(') + 'addJSON('.length, code.lastIndexOf('})') + 1);
    const messages = JSON.parse(json) as { readonly temporal: Messages };
    delete messages.temporal.nested.api.nested.cloud;
    const { roots, Root } = require('protobufjs/light') as { roots: Record<string, Root>; Root: new () => Root };
    return (roots['__temporal'] ??= new Root()).addJSON(messages);
  });
}

/**
 * Provides the exports of a module when the SDK requires it, because commands without a worker do not load the installed SDK.
 * If `exportsOf` fails, the module is loaded as it is.
 */
function provide(require: NodeJS.Require, path: string, exportsOf: () => unknown): void {
  const { cache } = require;
  if (cache[path]) return;
  const load = (): unknown => {
    try {
      return exportsOf();
    } catch {
      delete cache[path];
      return require(path);
    }
  };
  let exports: unknown;
  const module = { id: path, filename: path, path, loaded: true, children: [], paths: [] };
  Object.defineProperty(module, 'exports', { get: () => (exports ??= load()), enumerable: true });
  cache[path] = module as unknown as NodeJS.Module;
}
