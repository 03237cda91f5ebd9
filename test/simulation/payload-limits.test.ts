import { coresdk } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import type { OpenBatchInput, PlannedUpload, SendBatchInput } from '../../src/contracts/batch.ts';
import type { SyncBatch } from '../../src/contracts/plan-sync.ts';
import { openAiLimits, PayloadLimits } from '../../src/contracts/limits.ts';
import type { SyncRequest } from '../../src/contracts/sync.ts';
import type { UploadRequest } from '../../src/contracts/upload.ts';
import { failureOfError, payloadOf, valueOf } from './payloads.ts';
import { SandboxedWorkflow, type Command, type Job } from './run.ts';
import { fullSplit, fullSync, fullUpload } from '../support/full-request.ts';

const { WorkflowCommand } = coresdk.workflow_commands;

/** Of a message: gRPC's default, which the Temporal server keeps. */
const MESSAGE_BYTES = 4 * 1024 * 1024;
const MAX_TASKS = 400;
const MiB = 1024 * 1024;
const STARTED_AT_MS = Date.UTC(2026, 0, 1);

type Answers = Readonly<Record<string, (input: never) => unknown>>;

interface Run {
  /** Of all commands of each workflow task. */
  readonly taskBytes: readonly number[];
  /** Activities and child workflows that were started, by name. */
  readonly started: readonly string[];
  readonly failure: { readonly type: string; readonly message: string } | undefined;
  readonly result: unknown;
}

/**
 * Runs a built workflow in the sandbox of the SDK. All that a task starts ends before the next task, so that each task
 * starts as much as it can.
 *
 * @param answers result of each activity, and of each child workflow by its type
 */
async function run(workflowType: string, request: object, answers: Answers): Promise<Run> {
  const start = { workflowId: 'w', runId: 'r', workflowType, taskQueue: 'q', firstExecutionRunId: 'r' };
  const workflow = await SandboxedWorkflow.create(start, STARTED_AT_MS);
  const taskBytes: number[] = [];
  const started: string[] = [];
  let jobs: Job[] = [
    {
      initializeWorkflow: { ...start, arguments: [payloadOf(request)], attempt: 1, headers: {}, memo: { fields: {} } },
    },
  ];
  try {
    for (let task = 0; task < MAX_TASKS && jobs.length > 0; task++) {
      const found = await workflow.activate({
        atMs: STARTED_AT_MS + task,
        jobs,
        historyLength: 3 + task,
        continueAsNewSuggested: false,
        isReplaying: false,
      });
      if ('failure' in found) throw new Error(found.failure.message ?? 'the workflow task failed');
      taskBytes.push(found.reduce((sum, command) => sum + WorkflowCommand.encode(command).finish().length, 0));
      jobs = found.flatMap((command) => jobsOf(command, answers, started));
      const closing = found.find((command) => command.completeWorkflowExecution ?? command.failWorkflowExecution);
      if (!closing) continue;
      const { failure } = closing.failWorkflowExecution ?? {};
      const { type } = failure?.applicationFailureInfo ?? {};
      return {
        taskBytes,
        started,
        failure: failure ? { type: type ?? '', message: failure.message ?? '' } : undefined,
        result: valueOf(closing.completeWorkflowExecution?.result),
      };
    }
    return { taskBytes, started, failure: undefined, result: undefined };
  } finally {
    await workflow.evict();
  }
}

/** What the server reports about a command: its activity, or its child workflow, has ended. */
function jobsOf(command: Command, answers: Answers, started: string[]): Job[] {
  const { scheduleActivity, startChildWorkflowExecution: child } = command;
  const { seq, activityType } = scheduleActivity ?? {};
  if (activityType) {
    started.push(activityType);
    const input = valueOf(scheduleActivity?.arguments?.[0]);
    const result = outcomeOf(() => answers[activityType]?.(input as never));
    return [{ resolveActivity: { seq: seq ?? 0, result } }];
  }
  if (!child) return [];
  const { workflowType = '' } = child;
  started.push(workflowType ?? '');
  const result = outcomeOf(() => answers[workflowType ?? '']?.(valueOf(child.input?.[0]) as never));
  return [
    { resolveChildWorkflowExecutionStart: { seq: child.seq ?? 0, succeeded: { runId: `r-${child.seq}` } } },
    { resolveChildWorkflowExecution: { seq: child.seq ?? 0, result } },
  ];
}

function outcomeOf(answer: () => unknown): object {
  try {
    return { completed: { result: payloadOf(answer()) } };
  } catch (error) {
    return { failed: { failure: failureOfError(error) } };
  }
}

const expiresAt = STARTED_AT_MS / 1000 + 3600;
const session = { uploadId: 'upload_1', createdAt: STARTED_AT_MS / 1000, expiresAt, unanswered: 0 };
const file = (bytes: number, filename = 'a.jsonl') => ({
  id: `file-${filename.slice(0, 20)}`,
  bytes,
  createdAt: STARTED_AT_MS / 1000,
  filename,
  purpose: 'batch',
  status: 'processed',
});

const ofUpload = (sizeBytes: number, partId: (partNumber: number) => string): Answers => ({
  inspectSource: ({ request }: { request: object }) => ({
    sizeBytes,
    fingerprint: 'f',
    isSmall: false,
    hasAttributes: false,
    limits: openAiLimits,
    request: fullUpload(request),
  }),
  createUpload: () => session,
  hashSource: () => ({ md5: '0'.repeat(32) }),
  uploadPart: ({ partNumber }: { partNumber: number }) => ({ partId: partId(partNumber), attempt: 1 }),
  completeUpload: () => file(sizeBytes),
  cancelUpload: () => null,
});

describe('an upload', () => {
  const request: UploadRequest = {
    source: { type: 'http', url: `https://example.com/${'u'.repeat(8000)}`, sealedQuery: 'q'.repeat(16_000) },
    purpose: 'batch',
    partSizeBytes: MiB,
    concurrency: 256,
  };

  it('starts as many parts in one task as one message can contain', async () => {
    const { taskBytes, started, result } = await run(
      'uploadFile',
      request,
      ofUpload(600 * MiB, (n) => `part_${n}`),
    );
    expect(result).toMatchObject({ parts: 600 });
    expect(started.filter((name) => name === 'uploadPart')).toHaveLength(600);
    expect(Math.max(...taskBytes)).toBeLessThan(MESSAGE_BYTES - PayloadLimits.payload);
    expect(Math.max(...taskBytes)).toBeGreaterThan(MiB);
  });

  it('starts all parts that the request permits if their inputs are short', async () => {
    const small: UploadRequest = { ...request, source: { type: 'file', path: '/data/a.jsonl', host: 'h' } };
    const { taskBytes, started } = await run(
      'uploadFile',
      small,
      ofUpload(256 * MiB, (n) => `part_${n}`),
    );
    expect(started.filter((name) => name === 'uploadPart')).toHaveLength(256);
    // Inspection, session and MD5, all parts, completion, and the end.
    expect(taskBytes.length).toBeLessThan(8);
  });

  it('fails at its first part if the IDs of all parts do not fit into the completion', async () => {
    const single = { ...request, concurrency: 1 };
    const { failure, started } = await run(
      'uploadFile',
      single,
      ofUpload(8000 * MiB, () => 'x'.repeat(200)),
    );
    expect(failure).toMatchObject({ type: 'PayloadTooLarge', message: expect.stringMatching(/IDs of 8000 parts/) });
    expect(started.filter((name) => name === 'uploadPart')).toHaveLength(1);
    expect(started.at(-1)).toBe('cancelUpload');
  });
});

describe('a split upload', () => {
  const request = {
    source: { type: 'file', path: '/data/a.jsonl', host: 'h' },
    purpose: 'batch',
    pieceSizeBytes: MiB,
    filename: `${'"'.repeat(900)}.jsonl`,
  };
  const pieces = Array.from({ length: 1000 }, (_, index) => ({ offsetBytes: index * MiB, sizeBytes: MiB }));
  const answers: Answers = {
    planSplit: ({ request: raw }: { request: object }) => ({
      request: fullSplit(raw),
      hasAttributes: false,
      limits: openAiLimits,
      sizeBytes: 1000 * MiB,
      fingerprint: 'f',
      pieces,
    }),
    uploadFile: ({ filename }: UploadRequest) => ({
      workflowId: 'p',
      uploadId: 'u',
      file: file(MiB, filename),
      bytes: MiB,
      md5: null,
      parts: 1,
      partSizeBytes: MiB,
      partsSent: 1,
      sessions: 1,
      orphanedSessions: 0,
      durationMs: 1,
    }),
  };

  it('fails before its first piece if its File names do not fit into the result', async () => {
    const { failure, started } = await run('uploadSplitFile', request, answers);
    expect(failure).toMatchObject({ type: 'PayloadTooLarge', message: expect.stringMatching(/names of 1000 Files/) });
    expect(started).toEqual(['planSplit']);
  });
});

describe('a sync', () => {
  // Each of these characters has six bytes in JSON.
  const folder = `/${'\u0001'.repeat(1900)}`;
  const upload = (index: number, sizeBytes: number): PlannedUpload => ({
    path: `${'\u0001'.repeat(1900)}${index}`,
    filename: `${index}`,
    sizeBytes,
    fingerprint: 'f',
    version: 'v',
    key: `k${index}`,
  });
  const batchOf = (uploads: readonly PlannedUpload[]): SyncBatch => ({
    type: 'batch',
    totals: {
      listed: { files: uploads.length, bytes: 1 },
      same: 0,
      knownContent: 0,
      toSend: { files: uploads.length, bytes: 1 },
      problems: [],
      leftOut: [],
      problemCount: 0,
      leftOutCount: 0,
    },
    uploads,
    recognised: [],
    forget: [],
    deletions: [],
    decisions: [],
    decisionsOmitted: 0,
    deletionCount: 0,
    deletionsHeld: null,
    next: null,
    hasDeletions: false,
  });
  const request: SyncRequest = {
    source: { type: 'folder', path: folder, host: 'h' },
    purpose: 'batch',
    maxConcurrentUploads: 200,
  };

  it.each([
    ['separate uploads', 2 * MiB, 'uploadFile', 120],
    ['batches', 1000, 'sendBatch', 5],
  ])('starts as many files as %s in one task as one message can contain', async (_, sizeBytes, name, commands) => {
    const uploads = Array.from({ length: 120 }, (_unused, index) => upload(index, sizeBytes));
    const { taskBytes, started, failure } = await run('syncSource', request, {
      recallSync: () => null,
      planSync: ({ request: raw }: { request: object }) => ({
        ...batchOf(uploads),
        admitted: { request: fullSync(raw), hasAttributes: false, limits: openAiLimits },
      }),
      openBatch: ({ files }: OpenBatchInput) => ({ outcomes: files.map(() => ({ session })) }),
      sendBatch: ({ files }: SendBatchInput) => ({
        outcomes: files.map(() => ({ sent: { fileId: 'file-1', createdAt: 1, md5: null } })),
      }),
      uploadFile: () => ({ bytes: sizeBytes, partSizeBytes: MiB, file: file(sizeBytes), md5: null }),
      packSyncMemory: () => ({ format: 'gzip-rows-1', entries: 1, dropped: 0, data: 'A' }),
    });
    expect(failure).toBeUndefined();
    expect(started.filter((one) => one === name)).toHaveLength(commands);
    // A memory that is packed in the same task fits too.
    expect(Math.max(...taskBytes)).toBeLessThan(MESSAGE_BYTES - PayloadLimits.payload);
    expect(taskBytes.filter((bytes) => bytes > MiB).length).toBeGreaterThan(0);
  });
});
