import { AbortedError, ManifestError, SourceReadError } from '../../src/errors.ts';
import type { ManifestStore } from '../../src/sources/manifest/store.ts';
import type { ClientWorld, Process } from './client.ts';

interface Request<T> {
  readonly name: 'reads' | 'writes';
  readonly signal: AbortSignal;
  readonly run: () => T;
}

/** The object with the memory of a sync, as its store keeps it. */
export class ModelManifest {
  #text: string | undefined;

  /** A client of the store in one process. */
  client(world: ClientWorld, process: Process): ManifestStore {
    const read = (signal: AbortSignal) => call(world, process, { name: 'reads', signal, run: () => this.#text });
    const write = (signal: AbortSignal, run: () => boolean) => call(world, process, { name: 'writes', signal, run });
    return {
      name: 's3://state/sync.jsonl',
      prepare: async (signal) => {
        await write(signal, () => this.#replace(undefined, ''));
      },
      read: async (use, signal) => use(contentOf(await read(signal))),
      update: async (rewrite, signal) => {
        let isWritten = false;
        while (!isWritten) {
          const before = await read(signal);
          let text = '';
          for await (const lines of rewrite(contentOf(before))) text += lines;
          isWritten = await write(signal, () => this.#replace(before, text));
        }
      },
    };
  }

  /** As a conditional PUT. @returns false if another writer was faster */
  #replace(before: string | undefined, text: string): boolean {
    if (this.#text !== before) return false;
    this.#text = text;
    return true;
  }
}

async function call<T>(world: ClientWorld, process: Process, { name, signal, run }: Request<T>): Promise<T> {
  const { clock, dice, trace } = world;
  const { key } = process.info;
  const fault = world.onCall('manifest', process.info);
  trace(`${process.info.activityType} ${name} the manifest${fault ? `: ${fault.kind}` : ''}`);
  const isAborted = await clock.sleep(world.durationMs('manifest', key), signal).then(
    () => false,
    () => true,
  );
  if (process.isDead || isAborted) {
    // A request that was sent can still arrive.
    if (dice.chance(`${key}/manifest-arrives`, 0.5)) run();
    if (process.isDead) return await new Promise<never>(() => {});
    throw new AbortedError('the call of the manifest was aborted');
  }
  if (fault?.kind === 'lost') run();
  if (fault?.kind === 'status') throw new ManifestError('cannot use the manifest: access denied');
  if (fault) throw new SourceReadError('cannot use the manifest: the connection broke');
  return run();
}

function contentOf(text: string | undefined): AsyncIterable<Uint8Array> | undefined {
  if (text === undefined) return undefined;
  return (async function* () {
    yield Buffer.from(text);
  })();
}
