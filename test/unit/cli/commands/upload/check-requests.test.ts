import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, expect, it, vi } from 'vitest';
import { checkRequests } from '../../../../../src/cli/commands/upload/check-requests.ts';
import type { CliContext } from '../../../../../src/cli/context.ts';
import { SpoolFolder } from '../../../../../src/cli/sources/spool/folder.ts';
import { startJob } from '../../../../../src/client/start-job.ts';
import { loadConfig } from '../../../../../src/config/config.ts';
import { Sources } from '../../../../../src/sources/sources.ts';
import { withTempDir } from '../../../../support/temp-dir.ts';

afterEach(() => void vi.restoreAllMocks());

it.each([{}, { split: true }])('inspects a source once, from the check to the start (%j)', (options) =>
  withTempDir(async (directory) => {
    const path = join(directory, 'a.jsonl');
    await writeFile(path, '{}\n');
    const config = loadConfig({ LONGHAUL_STATE_DIR: join(directory, 'state'), OPENAI_API_KEY: 'k' });
    const inspections = vi.spyOn(Sources.prototype, 'open');
    const started: unknown[] = [];
    const connection = Connection.lazy();
    const client = new Client({
      connection,
      interceptors: {
        workflow: [
          {
            startWithDetails: async ({ options: { workflowId } }) => {
              started.push(workflowId);
              return { runId: 'run', eagerlyStarted: false };
            },
          },
        ],
      },
    });

    const [request] = await checkRequests({ config } as CliContext, new SpoolFolder(config.stateDir), [{ path }], {
      purpose: 'batch',
      md5: true,
      check: 'auto',
      ...options,
    });
    if (!request) throw new Error('no request');
    await startJob(client, 'longhaul', request.prepared);

    expect(started).toEqual([request.prepared.workflowId]);
    expect(inspections).toHaveBeenCalledTimes(1);
    await connection.close();
  }),
);
