import { createReadStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import OpenAI from 'openai';
import { linesOf, mergedRow, readResults } from './merge.js';

// Temporal retries. A client that also retried could send "create" twice without a search in between.
const openai = new OpenAI({ apiKey: process.env.OPENAI_API_KEY, maxRetries: 0, timeout: 60_000 });

/** Problems that the report lists. The merged file has all of them. */
const MAX_PROBLEMS = 100;

/** Runs `work` with heartbeats, and aborts its requests if Temporal has given up on this attempt. */
async function withHeartbeats(work) {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 1000);
  try {
    return await work({ signal: context.cancellationSignal });
  } finally {
    clearInterval(timer);
  }
}

/**
 * Creates the batch of a File, or finds the batch that an earlier attempt created.
 *
 * The call has no idempotency key: if this process is killed, or the response is lost, the batch can exist without a
 * record of its ID. A second call would create a second batch, which is also billed. The metadata makes the batch
 * recognisable, so each attempt searches the list first. The search also compares the File, because a later run of
 * the same workflow ID uploads a new File and needs a new batch. The order of the list is not documented. Therefore
 * the search reads all pages.
 *
 * An attempt starts at least a second after the loss of the earlier attempt. A service that lists a new batch later
 * than that would get a second batch.
 */
export function createBatch({ fileId, endpoint, workflowId }) {
  return withHeartbeats(async (options) => {
    for await (const batch of openai.batches.list({ limit: 100 }, options)) {
      if (batch.input_file_id === fileId && batch.metadata?.workflow_id === workflowId) return batch.id;
    }
    const metadata = { workflow_id: workflowId };
    const request = { input_file_id: fileId, endpoint, completion_window: '24h', metadata };
    return (await openai.batches.create(request, options)).id;
  });
}

/** Returns the batch when it has ended. Until then it fails, and the retry policy is the interval of the checks. */
export async function batchEnd(batchId) {
  const batch = await openai.batches.retrieve(batchId);
  if (!['completed', 'failed', 'expired', 'cancelled'].includes(batch.status)) {
    throw ApplicationFailure.create({ message: `${batchId} is ${batch.status}`, category: 'BENIGN' });
  }
  const problems = (batch.errors?.data ?? []).map(({ line, message }) => (line ? `line ${line}: ${message}` : message));
  return {
    id: batch.id,
    status: batch.status,
    outputFileId: batch.output_file_id ?? undefined,
    errorFileId: batch.error_file_id ?? undefined,
    problem: `the service rejected ${batchId}: ${problems.slice(0, 5).join(' ')}`,
  };
}

/** Writes one line per request to `results`: the request's `custom_id` with its response, or why it has none. */
export function mergeResults({ requests, results, batch }) {
  return withHeartbeats(async (options) => {
    const rows = new Map();
    for (const fileId of [batch.outputFileId, batch.errorFileId]) {
      if (fileId) await readResults((await openai.files.content(fileId, options)).body, rows);
    }
    const report = { batchId: batch.id, completed: 0, failed: 0, missing: 0, problems: [] };
    const file = await open(`${results}.tmp`, 'w');
    try {
      for await (const line of linesOf(createReadStream(requests))) {
        const row = mergedRow(JSON.parse(line), rows, batch.status);
        report[row.status] += 1;
        if (row.status !== 'completed' && report.problems.length < MAX_PROBLEMS) {
          report.problems.push({ custom_id: row.custom_id, reason: row.reason });
        }
        await file.write(`${JSON.stringify(row)}\n`);
      }
    } finally {
      await file.close();
    }
    await rename(`${results}.tmp`, results); // A killed attempt leaves no incomplete file with this name.
    return report;
  });
}
