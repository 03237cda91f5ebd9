import { readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { causeOf, errnoOf } from '../core/text/errno-cause.ts';
import { formatBytes } from '../core/text/format.ts';

/** A changed file is detected at most this much later. */
export const FILE_CHECK_INTERVAL_MS = 1000;

/**
 * A value that is read from files, and read again when they change. While files are replaced, they can be missing or
 * incomplete for a moment: then the earlier value stays.
 */
export class WatchedValue<T extends string | object> {
  readonly #identify: () => Promise<string>;
  readonly #read: () => T | Promise<T>;
  #value: T | undefined;
  #identity: string | undefined;
  #checkAgainAtMs = 0;
  #checking: Promise<T> | undefined;

  constructor(identify: () => Promise<string>, read: () => T | Promise<T>) {
    this.#identify = identify;
    this.#read = read;
  }

  /** The current value, without reading anything. */
  get last(): T | undefined {
    return this.#value;
  }

  /** Uses a value that was just read. */
  set(value: T): void {
    this.#value = value;
  }

  /** @throws the error of the files if no earlier value exists */
  current(): T | Promise<T> {
    return this.#value !== undefined && performance.now() < this.#checkAgainAtMs ? this.#value : this.check();
  }

  /** Reads the files now if they have changed. @throws as `current` */
  check(): Promise<T> {
    this.#checking ??= this.#check().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  /** Reads the files now, also if they have not changed. @throws as `current` */
  reload(): Promise<T> {
    this.#identity = undefined;
    return this.check();
  }

  async #check(): Promise<T> {
    try {
      // Before the content: a change in between is then detected by the next check.
      const identity = await this.#identify();
      if (this.#value === undefined || identity !== this.#identity) {
        this.#value = await this.#read();
        this.#identity = identity;
      }
      return this.#value;
    } catch (error) {
      if (this.#value !== undefined) return this.#value;
      throw error;
    } finally {
      this.#checkAgainAtMs = performance.now() + FILE_CHECK_INTERVAL_MS;
    }
  }
}

/**
 * Identity of the content behind a path. A link is followed, so that the replacement of a link's target (Kubernetes
 * secrets) is a change too.
 */
export async function fileIdentity(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join('-');
}

/** What is wrong with a file, for the end of a sentence that starts with its name. */
export function fileProblem(error: unknown): string {
  return errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read: ${causeOf(error)}`;
}

/** Larger than any key, configuration or list of certificates. */
const MAX_SETTINGS_BYTES = 16 * 1024 * 1024;
/** A pipe that another program writes, such as `<(command)`. A named pipe can have no writer. */
const OPEN_PIPE = /^\/(dev|proc\/self)\/fd\/\d+$|^\/dev\/stdin$/;
/** Contents of such pipes by path, because a pipe can be read only once, and several modules read a file. */
const pipes = new Map<string, string>();

/**
 * Reads a small text file that a setting or an argument names. A named pipe would block the process, and a device or
 * the wrong file can be endless.
 */
export function readSettingsFile(path: string, maxBytes = MAX_SETTINGS_BYTES): string {
  const stats = statSync(path);
  const isUsual = stats.isFile() || stats.isDirectory() || path === '/dev/null';
  if (!isUsual && !(stats.isFIFO() && OPEN_PIPE.test(path))) throw new Error('it is not a regular file');
  if (stats.isFile() && stats.size > maxBytes) throw new Error(`it is larger than ${formatBytes(maxBytes)}`);
  const content = pipes.get(path) ?? readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  if (stats.isFIFO()) pipes.set(path, content);
  return content;
}
