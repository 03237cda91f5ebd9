import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { errnoCause, errnoOf } from '../core/text/errno-cause.ts';
import { hostNameProblem } from '../core/task-queue.ts';
import { ConfigError } from '../errors.ts';
import { createOnce } from './create-once.ts';

/** Names of this machine in the sources of its embedded Temporal server. */
export interface HostIdentity {
  /** In new uploads and syncs. It remains the same when the host name of the machine changes. */
  readonly host: string;
  /** In uploads, syncs and schedules that started under other names. Workers of this machine poll their queues, too. */
  readonly earlier: readonly string[];
}

const MAX_EARLIER = 8;

const name = z
  .string()
  .min(1)
  .max(255)
  .regex(/^\P{Cc}+$/u);
const schema = z.object({ host: name, earlier: z.array(name).max(MAX_EARLIER).default([]) });

/** The file in a state directory that contains the identity. */
export function hostIdentityPath(stateDir: string): string {
  return join(stateDir, 'host.json');
}

/**
 * Reads the identity; undefined if none is stored yet.
 *
 * @throws ConfigError if the file cannot be read or is damaged
 */
export function readHostIdentity(stateDir: string): HostIdentity | undefined {
  const path = hostIdentityPath(stateDir);
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new ConfigError(
        `cannot read ${path}: ${errnoCause(code)}. Run the command as the user who owns the state directory, or set ` +
          'LONGHAUL_STATE_DIR to a directory of this user.',
        { cause: error },
      );
    }
    const cause = code === undefined ? 'it is damaged' : errnoCause(code);
    throw new ConfigError(
      `cannot read the name of this host from ${path}: ${cause}. Restore the file, write {"host": "NAME"} into it, or ` +
        'delete it. Without it, the next command adopts the name from the uploads in the state directory.',
      { cause: error },
    );
  }
}

/**
 * Stores the identity unless another command has stored one. The file appears with its whole content.
 *
 * @returns the stored identity
 */
export function storeHostIdentity(stateDir: string, identity: HostIdentity): HostIdentity {
  const path = hostIdentityPath(stateDir);
  const earlier = identity.earlier.slice(0, MAX_EARLIER);
  createOnce(path, `${JSON.stringify({ host: identity.host, earlier }, null, 2)}\n`);
  return readHostIdentity(stateDir) ?? identity;
}

/**
 * Returns the name of this machine for files that only it can read: the given one, `LONGHAUL_HOST`, or the host name.
 *
 * @throws ConfigError if a given name cannot be part of the name of a task queue
 */
export function thisHost(given?: string): string {
  const fromEnvironment = process.env['LONGHAUL_HOST']?.trim() || undefined;
  const found = given ?? fromEnvironment;
  if (found === undefined) return hostname();
  const problem = hostNameProblem(found);
  if (problem !== undefined) throw new ConfigError(`${given === undefined ? 'LONGHAUL_HOST' : '"host"'} ${problem}`);
  return found;
}

/** Names of this machine in a configuration. */
export class HostNames {
  readonly #given: string | undefined;
  readonly #stateDir: string | undefined;

  /**
   * @param given name that the environment or the config file sets
   * @param stateDir directory that can contain a name; undefined if none is to be read
   */
  constructor(given: string | undefined, stateDir: string | undefined) {
    this.#given = given;
    this.#stateDir = stateDir === undefined ? undefined : resolve(stateDir);
  }

  get host(): string {
    return this.#stored?.host ?? this.#given ?? hostname();
  }

  /** Further names, whose queues the workers of this machine poll as well. */
  get others(): readonly string[] {
    const identity = this.#stored;
    if (!identity) return [];
    // A program with the library names this machine by its present host name.
    return [...new Set([...identity.earlier, hostname()])].filter((other) => other !== identity.host);
  }

  /** Read each time: another command can have stored it in the meantime. */
  get #stored(): HostIdentity | undefined {
    return this.#stateDir === undefined ? undefined : readHostIdentity(this.#stateDir);
  }
}
