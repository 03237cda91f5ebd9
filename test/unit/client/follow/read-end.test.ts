import type { WorkflowExecutionDescription } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { expect, it } from 'vitest';
import { progressOfEnd } from '../../../../src/client/follow/read-end.ts';

it.each([
  ['uploadSplitFile', { kind: 'split', pieces: [] }],
  ['uploadFile', { kind: 'upload' }],
])('the progress of a failed %s without pieces is that of its kind', async (type, expected) => {
  const description = {
    workflowId: 'a',
    runId: 'b',
    type,
    taskQueue: 'longhaul',
    status: { code: 3, name: 'FAILED' },
    startTime: new Date(0),
    closeTime: new Date(1),
    typedSearchAttributes: new TypedSearchAttributes(),
    memo: {},
  } as unknown as WorkflowExecutionDescription;
  const ended = { workflowId: 'a', status: 'FAILED' };
  expect(await progressOfEnd(description, ended, async () => 'a.jsonl')).toMatchObject({
    filename: 'a.jsonl',
    ...expected,
  });
});
