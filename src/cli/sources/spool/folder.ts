import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, parse, resolve } from 'node:path';
import * as z from 'zod';
import { openPrivateState } from '../../../dev/server/private-state.ts';
import { attempt } from '../../../core/objects.ts';
import type { Source } from '../../../contracts/sources.ts';
import { readJsonFile, writeJsonFile } from '../json-file.ts';
import { ConfigError } from '../../../errors.ts';
import { makeDirectory } from '../../../make-directory.ts';
import { isInOneOf } from '../../../sources/file/paths.ts';
import { isOpen } from '../../../temporal/workflow-status.ts';

/** A copy that was not uploaded is kept for this time after a command last used it. */
const KEPT_MS = 7 * 86_400_000;
/** Time for which an incomplete copy is kept after the last write. */
const INCOMPLETE_KEPT_MS = 86_400_000;

/** Name of a complete copy in its directory. A name of a File can be too long for a disk. */
const COPY_NAME = 'copy';

const recordSchema = z.object({
  workflowId: z.string().optional(),
  filename: z.string().optional(),
});

/** A copy of standard input that is being written. */
export interface NewSpool {
  readonly handle: FileHandle;
  /** Completes the copy, and returns its path. */
  readonly finish: () => Promise<string>;
  readonly discard: () => Promise<void>;
}

/**
 * Copies of sources that can be read only once. An incomplete copy is `ID.partial`, a complete copy is `ID/copy`. `ID.json`
 * contains the File's name and the command that uses the copy. Earlier versions wrote `ID/NAME`, with the File's name.
 */
export class SpoolFolder {
  readonly path: string;
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.path = join(stateDir, 'spool');
  }

  /** Writes and removes a small file. @throws ConfigError, or an error of the file system, if the folder is not writable */
  async assertWritable(): Promise<void> {
    await this.#remove(await this.#newId({}));
  }

  /** @param filename the File's name, for a command that uploads the copy by its path */
  async begin(filename: string): Promise<NewSpool> {
    const id = await this.#newId({ filename });
    const partial = join(this.path, `${id}.partial`);
    const handle = await open(partial, 'wx', 0o600);
    return {
      handle,
      finish: async () => {
        await handle.sync();
        await handle.close();
        const path = join(this.path, id, COPY_NAME);
        await mkdir(dirname(path), { mode: 0o700 });
        await rename(partial, path);
        return path;
      },
      discard: async () => {
        await handle.close().catch(() => {});
        await this.#remove(id);
      },
    };
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.path);
    return bavail * bsize;
  }

  /** Whether a source is a copy in this folder. */
  has(source: Source): boolean {
    return source.type === 'file' && isInOneOf(source.path, [this.path, realOf(this.path)]);
  }

  /**
   * Returns the File's name of a copy; undefined if the path is not a copy, or its own name is the File's name.
   *
   * @throws ConfigError if the record of the copy is missing
   */
  async filenameOf(path: string): Promise<string | undefined> {
    const id = this.#idOf(path);
    if (id === undefined || basename(path) !== COPY_NAME) return undefined;
    const record = await this.#recordOf(id);
    if (record) return record.filename;
    throw new ConfigError(`no name is recorded for the copy ${path}. Set the name of the File with --filename.`);
  }

  /** Records that this command uses the file, if it is a copy in this folder. */
  async use(path: string, workflowId?: string): Promise<void> {
    const id = this.#idOf(path);
    if (id === undefined) return;
    const filename = (await this.#recordOf(id))?.filename;
    await this.#record(id, { workflowId, filename });
  }

  /** Removes the file after its upload, if it is a copy in this folder. */
  async release(path: string): Promise<void> {
    const id = this.#idOf(path);
    if (id !== undefined) await this.#remove(id);
  }

  /**
   * Removes copies of commands that were killed: incomplete copies without a write for a day, and complete copies that are
   * uploaded or were not used for a week.
   *
   * @param statusOf returns the status of a workflow in Temporal; undefined if it is unknown
   */
  async sweep(statusOf: (workflowId: string) => Promise<string | undefined>): Promise<void> {
    const names = await readdir(this.path).catch((): string[] => []);
    for (const id of new Set(names.map((name) => parse(name).name))) {
      if (await this.#isLeft(id, names.includes(id), statusOf)) await this.#remove(id);
    }
  }

  async #isLeft(
    id: string,
    isWhole: boolean,
    statusOf: (workflowId: string) => Promise<string | undefined>,
  ): Promise<boolean> {
    const record = await this.#recordOf(id);
    if (record && !isWhole) return this.#isOlder([`${id}.json`, `${id}.partial`], INCOMPLETE_KEPT_MS);
    const status = record?.workflowId === undefined ? undefined : await statusOf(record.workflowId);
    if (status === 'COMPLETED') return true;
    if (status !== undefined && isOpen(status)) return false;
    return this.#isOlder([record ? `${id}.json` : id], KEPT_MS);
  }

  /** Whether all files that exist were written before that time. */
  async #isOlder(names: readonly string[], ageMs: number): Promise<boolean> {
    const all = await Promise.all(names.map((name) => stat(join(this.path, name)).catch(() => undefined)));
    const lastMs = Math.max(...all.map((stats) => stats?.mtimeMs ?? -Infinity));
    return lastMs > -Infinity && Date.now() - lastMs > ageMs;
  }

  /** Creates the folder if it is missing, and the record of a new copy. */
  async #newId(values: z.infer<typeof recordSchema>): Promise<string> {
    await openPrivateState(this.#stateDir);
    makeDirectory(this.path);
    const id = randomUUID();
    await this.#record(id, values);
    return id;
  }

  #idOf(path: string): string | undefined {
    const folder = dirname(resolve(path));
    return [this.path, realOf(this.path)].includes(dirname(folder)) ? basename(folder) : undefined;
  }

  #recordOf(id: string): Promise<z.infer<typeof recordSchema> | null> {
    return readJsonFile(join(this.path, `${id}.json`), recordSchema);
  }

  #record(id: string, values: z.infer<typeof recordSchema>): Promise<void> {
    return writeJsonFile(join(this.path, `${id}.json`), values);
  }

  /** Removes the record last, because it names the owner of the other files. */
  async #remove(id: string): Promise<void> {
    await rm(join(this.path, `${id}.partial`), { force: true });
    await rm(join(this.path, id), { recursive: true, force: true });
    await rm(join(this.path, `${id}.json`), { force: true });
  }
}

/** Resolves links, because sources have real paths and the state directory can be a link. */
function realOf(path: string): string {
  return attempt(() => realpathSync(path)) ?? path;
}
