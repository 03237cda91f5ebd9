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
  const requireOfWorker = createRequire(requireOfPackage.resolve('@temporalio/worker'));
  attempt(() => loadAtFirstUse(requireOfWorker, 'memfs'));
  attempt(() => loadMessages(createRequire(requireOfWorker.resolve(MESSAGES))));
}

function loadAtFirstUse(require: NodeJS.Require, name: string): void {
  const path = require.resolve(name);
  const load = (): Record<string | symbol, unknown> => {
    delete require.cache[path];
    return require(path) as Record<string | symbol, unknown>;
  };
  let loaded: Record<string | symbol, unknown> | undefined;
  provide(require, path, new Proxy({}, { get: (_, key) => (key === '__esModule' ? true : (loaded ??= load())[key]) }));
}

function loadMessages(require: NodeJS.Require): void {
  const path = require.resolve(MESSAGES);
  const code = readFileSync(path, 'utf8');
  const json = code.slice(code.indexOf('addJSON(') + 'addJSON('.length, code.lastIndexOf('})') + 1);
  const messages = JSON.parse(json) as { readonly temporal: Messages };
  delete messages.temporal.nested.api.nested.cloud;
  const { roots, Root } = require('protobufjs/light') as { roots: Record<string, Root>; Root: new () => Root };
  provide(require, path, (roots['__temporal'] ??= new Root()).addJSON(messages));
}

function provide({ cache }: NodeJS.Require, path: string, exports: unknown): void {
  if (cache[path]) return;
  const module = { id: path, filename: path, path, loaded: true, exports, children: [], paths: [] };
  cache[path] = module as unknown as NodeJS.Module;
}
