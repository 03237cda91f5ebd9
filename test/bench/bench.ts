import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContenders, type Contenders } from './contenders/index.ts';
import type { FileOfSize } from './contenders/whole-path.ts';
import { writeBenchFile } from './setup/bench-file.ts';
import { compileChildren } from './setup/compile-children.ts';
import { createPartFiles } from './setup/part-files.ts';
import { startSink, type Scheme, type Sink } from './setup/sink.ts';
import { startTemporal, type Temporal } from './setup/temporal.ts';
import type { Settings } from './settings.ts';

/** What scenarios share. All of it is started when it is first asked for. */
export interface Bench {
  readonly settings: Settings;
  readonly contenders: Contenders;
  readonly sink: (scheme?: Scheme) => Promise<Sink>;
  readonly temporal: () => Promise<Temporal>;
  readonly fileOfSize: FileOfSize;
  /** A directory that goes away with the bench. */
  readonly directory: string;
  /** Gives the disk back. */
  readonly removeFiles: () => Promise<void>;
  readonly log: (line: string) => void;
  readonly close: () => Promise<void>;
}

export async function openBench(settings: Settings, log: (line: string) => void): Promise<Bench> {
  await compileChildren();
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-bench-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const closing = <T extends { readonly close: () => Promise<unknown> }>(started: T): T => {
    closers.push(started.close);
    return started;
  };
  const sinks = new Map<Scheme, Promise<Sink>>();
  const files = new Map<number, Promise<string>>();
  let server: Promise<Temporal> | undefined;

  const sink = (scheme: Scheme = 'http') => once(sinks, scheme, () => startSink(scheme).then(closing));
  const temporal = () => (server ??= startTemporal(join(directory, 'state')).then(closing));
  const fileOfSize: FileOfSize = (sizeBytes) =>
    once(files, sizeBytes, async () => {
      const path = join(directory, `content-${sizeBytes}.bin`);
      await writeBenchFile(path, sizeBytes);
      return path;
    });
  const partFiles = createPartFiles(join(directory, 'parts'));
  return {
    settings,
    contenders: createContenders({ directory, partFiles, fileOfSize, temporal }),
    sink,
    temporal,
    fileOfSize,
    directory,
    removeFiles: async () => {
      for (const path of files.values()) await rm(await path, { force: true });
      files.clear();
    },
    log,
    close: async () => {
      for (const close of closers.splice(0).toReversed()) await close();
    },
  };
}

function once<Key, Value>(known: Map<Key, Promise<Value>>, key: Key, make: () => Promise<Value>): Promise<Value> {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
