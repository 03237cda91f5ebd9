import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContenders, type Contenders } from './contenders/index.ts';
import type { FileOfSize } from './contenders/whole-path.ts';
import { GiB } from './measurement.ts';
import { writeBenchFile } from './setup/bench-file.ts';
import { compileChildren } from './setup/compile-children.ts';
import { createPartFiles } from './setup/part-files.ts';
import { startSink, type Scheme, type Sink } from './setup/sink.ts';
import { startTemporal, type Temporal } from './setup/temporal.ts';
import { endWorkerProcesses } from './setup/worker-process.ts';
import type { Settings } from './settings.ts';

/** For the warm-ups' files and Temporal's database. */
const SPARE_GIB = 4;

/** What scenarios share. Each part starts at its first use. */
export interface Bench {
  readonly settings: Settings;
  readonly contenders: Contenders;
  readonly sink: (scheme?: Scheme) => Promise<Sink>;
  readonly temporal: () => Promise<Temporal>;
  readonly fileOfSize: FileOfSize;
  /** A directory that is removed with the bench. */
  readonly directory: string;
  /** Gives the disk back. */
  readonly removeFiles: () => Promise<void>;
  readonly log: (line: string) => void;
  readonly close: () => Promise<void>;
}

export async function openBench(settings: Settings, log: (line: string) => void): Promise<Bench> {
  await assertSpace(settings);
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
      await endWorkerProcesses();
      for (const close of closers.splice(0).toReversed()) await close();
    },
  };
}

/** @throws RangeError if the files and their parts do not fit on the disk */
async function assertSpace({ fileBytes, largeFileBytes }: Settings): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir());
  const wantedGib = (2 * fileBytes + largeFileBytes) / GiB + SPARE_GIB;
  const freeGib = (bavail * bsize) / GiB;
  if (freeGib >= wantedGib) return;
  throw new RangeError(
    `${tmpdir()} has ${freeGib.toFixed(1)} GiB free, the bench needs ${wantedGib.toFixed(1)}: ` +
      'free some, name another directory in TMPDIR, or give smaller --gib and --large-gib',
  );
}

function once<Key, Value>(known: Map<Key, Promise<Value>>, key: Key, make: () => Promise<Value>): Promise<Value> {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
