import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LonghaulClient } from '../../client/longhaul-client.ts';
import type { Config } from '../../config/config.ts';
import { readJsonFile, writeJsonFile } from '../../dev/server/json-file.ts';
import { isAlive, ownIdentity } from '../../dev/server/process-identity.ts';
import type { NamedSources } from '../../sources/named-sources.ts';
import { namedFolder } from './source-settings.ts';

const recordSchema = z.object({
  owner: z.object({ pid: z.int(), startTime: z.string() }),
  workflowIds: z.array(z.string()),
});

/**
 * Records of what commands of this user named, each for as long as its uploads run. Commands share workers on the embedded
 * server, where one goes on with what another was interrupted in.
 */
export class NamedRecords {
  readonly #folder: string;

  constructor(config: Pick<Config, 'stateDir'>) {
    this.#folder = namedFolder(config);
  }

  /** Before a worker is given any of these uploads. */
  async add(named: NamedSources, workflowIds: readonly string[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const record = { owner: ownIdentity(), workflowIds, ...named };
    await writeJsonFile(join(this.#folder, `${randomUUID()}.json`), record);
  }

  /** Removes the records all of whose uploads are among these and have ended: nobody reads their sources any more. */
  async removeEnded(workflowIds: readonly string[], client: LonghaulClient): Promise<void> {
    const runs = await Promise.all(workflowIds.map((id) => mayRun(client, id)));
    const ended = new Set(workflowIds.filter((_, index) => !runs[index]));
    await this.#removeWhere(async (record) => record?.workflowIds.every((id) => ended.has(id)) ?? false);
  }

  /** Removes what dead commands have left whose uploads have ended. */
  async sweep(client: LonghaulClient): Promise<void> {
    await this.#removeWhere(async (record) => {
      if (!record) return true;
      if (isAlive(record.owner)) return false;
      const runs = await Promise.all(record.workflowIds.map((id) => mayRun(client, id)));
      return !runs.includes(true);
    });
  }

  async #removeWhere(isLeft: (record: z.infer<typeof recordSchema> | null) => Promise<boolean>): Promise<void> {
    const names = await readdir(this.#folder).catch((): string[] => []);
    for (const path of names.filter((name) => name.endsWith('.json')).map((name) => join(this.#folder, name))) {
      if (await isLeft(await readJsonFile(path, recordSchema))) await rm(path, { force: true });
    }
  }
}

/** Also where Temporal doesn't tell. */
async function mayRun({ temporal: client }: LonghaulClient, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    // By its name: the class takes Temporal's SDK, which is loaded while the server comes up.
    return (error as Error).name !== 'WorkflowNotFoundError';
  }
}
