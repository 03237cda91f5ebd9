import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, type ConnectionLike } from '@temporalio/client';
import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { createActivities, type OwnWorkerOptions } from '../../../src/worker/activities.ts';
import type { SourceInfo } from '../../../src/contracts/activities.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { sealQuery } from '../../../src/sources/http/sealed-query.ts';
import { withHttpOrigin } from '../../support/http-origin.ts';
import { mockActivity, withClient } from '../../support/mock-activity.ts';
import { withTempDir } from '../../support/temp-dir.ts';

const workflowId = 'upload-1';
const { destination } = withClient({});

it('activities of a custom worker apply the limit of an upload', () =>
  withTempDir(async (directory) => {
    const source = { type: 'file', path: join(directory, 'a') } as const;
    await writeFile(source.path, 'hello');
    const turns: unknown[] = [];
    const addPart: Destination['send'] = async (_id, { reader, sizeBytes, pace }) => {
      turns.push(pace?.(131_072), pace?.(1));
      await reader.read(Buffer.alloc(sizeBytes), 0);
      return { partId: 'part_1' };
    };
    const sources = { files: { roots: [directory] } };
    const activities = createActivities({ ...withClient({ send: addPart }), sources });
    const { fingerprint }: SourceInfo = await mockActivity().run(() =>
      activities.inspectSource({ request: { source, purpose: 'batch' } }),
    );
    const session = { destination: 'default', uploadId: 'u', sessionExpiresAt: Date.now() / 1000 + 3600 };
    const range = { partNumber: 1, offsetBytes: 0, sizeBytes: 5 };
    const limit = { bytesPerSecond: 131_072, revision: 1 };
    await mockActivity().run(() => activities.uploadPart({ ...session, ...range, source, fingerprint, limit }));
    expect(turns.some((turn) => turn !== undefined)).toBe(true);
  }));

it('activities of a custom worker unseal a query for their workflow', () =>
  withHttpOrigin({ content: Buffer.from('hello') }, async (origin) => {
    const url = `${origin.url}/a.jsonl`;
    const sealKey = 'a key of at least thirty-two bytes, for the test';
    const sealedQuery = sealQuery('sig=canary', { url, workflowId }, sealKey);
    const sources = { sealKey, http: { hosts: ['127.0.0.1'], allowPrivate: ['127.0.0.1'] } };
    const activities = createActivities({ destination, sources });
    const info = { workflowExecution: { workflowId, runId: 'run-1' }, startToCloseTimeoutMs: 60_000 };
    // The activity continues without an answer of Temporal, which takes its timeout if no server listens.
    const withDeadline = () => Promise.reject(new Error('no Temporal'));
    const withAbortSignal = <T>(_signal: AbortSignal, call: () => Promise<T>) => call();
    const client = new Client({ connection: { withDeadline, withAbortSignal } as unknown as ConnectionLike });
    const logger = new DefaultLogger('ERROR', () => {});
    const environment = new MockActivityEnvironment(info, { logger, client });
    const source = { type: 'http', url, sealedQuery } as const;
    expect(
      await environment.run(() => activities.inspectSource({ request: { source, purpose: 'batch' } })),
    ).toMatchObject({ sizeBytes: 5 });
    expect(origin.requests.map(({ path }) => path)).toContain('/a.jsonl?sig=canary');
  }));

it('activities of a custom worker require a function for destinations', () => {
  const call = (options: unknown) => () => createActivities(options as OwnWorkerOptions);
  const missing = expect.objectContaining({ code: 'CONFIG_INVALID' });
  for (const options of [{}, { destination: 'default' }, { destinations: [] }]) expect(call(options)).toThrow(missing);
});
