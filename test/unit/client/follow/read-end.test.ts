import type { WorkflowExecutionDescription } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { expect, it } from 'vitest';
import type { SyncResult } from '../../../../src/contracts/sync.ts';
import { progressOfEnd } from '../../../../src/client/follow/read-end.ts';

const head = ['kind', 'state', 'filename', 'bytesTotal', 'bytesDone', 'partsInFlight', 'waiting', 'startedAtMs'];

function closed(type: string, name: string): WorkflowExecutionDescription {
  return {
    workflowId: 'a',
    runId: 'b',
    type,
    taskQueue: 'longhaul',
    status: { code: 3, name },
    startTime: new Date(0),
    closeTime: new Date(1),
    typedSearchAttributes: new TypedSearchAttributes(),
    memo: {},
  } as unknown as WorkflowExecutionDescription;
}

it('the progress of a completed sync without search attributes has the name of its folder', async () => {
  const amount = { files: 1, bytes: 2 };
  const result = { counts: { toSend: amount, sent: amount }, durationMs: 1 } as unknown as SyncResult;
  const ended = { workflowId: 'a', status: 'COMPLETED', result };
  const progress = await progressOfEnd(closed('syncSource', 'COMPLETED'), ended, async () => '/data');
  expect(progress).toMatchObject({ filename: '/data', bytesDone: 2 });
  expect(Object.keys(progress ?? {}).slice(0, head.length)).toEqual(head);
});

it.each([
  ['uploadSplitFile', { kind: 'split', pieces: [] }],
  ['uploadFile', { kind: 'upload' }],
])('the progress of a failed %s without pieces is that of its kind', async (type, expected) => {
  const ended = { workflowId: 'a', status: 'FAILED' };
  const progress = await progressOfEnd(closed(type, 'FAILED'), ended, async () => 'a.jsonl');
  expect(progress).toMatchObject({ filename: 'a.jsonl', ...expected });
  expect(Object.keys(progress ?? {}).slice(0, head.length)).toEqual(head);
});
