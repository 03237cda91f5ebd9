import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import type { LonghaulClient } from '../../client/longhaul-client.ts';
import type { Config } from '../../config/config.ts';
import { stateDirectoryError } from '../../dev/server/errors.ts';
import { makeDirectory } from '../../make-directory.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';
import type { NamedSources } from '../../sources/named-sources.ts';
import { namedFolder } from './source-settings.ts';
import { isOpen } from '../../temporal/workflow-status.ts';

/** A command starts its uploads within this time after it has written their record. */
const UNSTARTED_KEPT_MS = 86_400_000;

const recordSchema = z.object({ workflowIds: z.array(z.string()) });
type NameRecord = z.infer<typeof recordSchema>;

/**
 * Records of the sources that commands of this user named. A record exists until its uploads close. On the embedded server,
 * commands share workers: a command can resume an interrupted upload of another command.
 */
export class NamedRecords {
  readonly #folder: string;

  constructor(config: Pick<Config, 'stateDir'>) {
    this.#folder = namedFolder(config);
  }

  /**
   * Adds a record. Must complete before a worker receives one of these uploads.
   *
   * @throws ConfigError if the state directory cannot be written
   */
  async add(named: NamedSources, workflowIds: readonly string[]): Promise<void> {
    const record = { workflowIds, ...named };
    try {
      makeDirectory(this.#folder);
      await writeJsonFile(join(this.#folder, `${randomUUID()}.json`), record);
    } catch (error) {
      throw stateDirectoryError(dirname(this.#folder), error);
    }
  }

  /** Removes each record whose uploads are all among these and have closed, so that no worker reads their sources. */
  async removeEnded(workflowIds: readonly string[], client: LonghaulClient): Promise<void> {
    const isOf = (ids: readonly string[]) => ids.every((id) => workflowIds.includes(id));
    await this.#removeWhere(async (record) => record !== null && isOf(record.workflowIds) && haveEnded(client, record));
  }

  /** Removes the records of commands that were killed, whose uploads have completed. */
  async sweep(client: LonghaulClient): Promise<void> {
    // Before, the command possibly has not started its uploads yet.
    const isOld = (ageMs: number) => ageMs >= UNSTARTED_KEPT_MS;
    await this.#removeWhere(async (record, ageMs) => isOld(ageMs) && (record === null || haveEnded(client, record)));
  }

  async #removeWhere(isLeft: (record: NameRecord | null, ageMs: number) => Promise<boolean>): Promise<void> {
    const names = await readdir(this.#folder).catch((): string[] => []);
    for (const path of names.filter((name) => name.endsWith('.json')).map((name) => join(this.#folder, name))) {
      const stats = await stat(path).catch(() => undefined);
      if (!stats) continue;
      if (await isLeft(await readJsonFile(path, recordSchema), Date.now() - stats.mtimeMs)) {
        await rm(path, { force: true });
      }
    }
  }
}

async function haveEnded(client: LonghaulClient, { workflowIds }: NameRecord): Promise<boolean> {
  const runs = await Promise.all(workflowIds.map((id) => canBeRunning(client, id)));
  return !runs.includes(true);
}

/** Whether a workflow is running. True if Temporal does not respond. */
async function canBeRunning({ temporal: client }: LonghaulClient, workflowId: string): Promise<boolean> {
  try {
    return isOpen((await client.workflow.getHandle(workflowId).describe()).status.name);
  } catch (error) {
    // Compared by name, because the class would require Temporal's SDK, which is loaded while the server starts.
    return (error as Error).name !== 'WorkflowNotFoundError';
  }
}
