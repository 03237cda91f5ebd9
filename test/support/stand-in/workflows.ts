import { ApplicationFailure, sleep, workflowInfo } from '@temporalio/workflow';

interface Memory {
  readonly runs: number;
}

/**
 * Replaces `syncSource` in tests of schedules. The prefix selects its behaviour: `takes-1500` (ms), `fails`,
 * `problems`; its result counts the runs that handed over to each other. The bundle is cached by the content of this file, which
 * therefore imports only the SDK.
 */
export async function syncSource({ prefix = '' }: { prefix?: string }): Promise<object> {
  const runs = ((workflowInfo().lastResult as { memory?: Memory } | undefined)?.memory?.runs ?? 0) + 1;
  const takes = /^takes-(\d+)$/.exec(prefix);
  if (takes) await sleep(Number(takes[1]));
  if (prefix === 'fails') throw ApplicationFailure.nonRetryable('the bucket is gone', 'SourceMissing');
  const problems =
    prefix === 'problems' ? [{ path: 'a.jsonl', failureType: 'SourceChanged', message: 'it changed' }] : [];
  return {
    counts: { same: 2, sent: { files: 1, bytes: 1024 }, failed: problems.length, deleted: 0 },
    problems,
    memory: { runs },
  };
}
