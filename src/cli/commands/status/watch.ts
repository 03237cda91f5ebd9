import type { JobHandle } from '../../../client/job-handle.ts';
import type { JobEvent, JobStatus } from '../../../client/jobs.ts';
import { formatBytes, formatDuration } from '../../../core/text/format.ts';
import { RateMeter } from '../../../core/pace/rate-meter.ts';
import { uploadPace } from '../../../core/pace/upload-pace.ts';
import type { CliContext } from '../../context.ts';
import { readEnd } from '../../../client/follow/read-end.ts';
import { describeEnded, endedJson, describePieces, describeStatus } from './view.ts';
import { jsonErrorOf } from '../../errors.ts';
import { isLiveTerminal, LiveScreen } from '../../text/terminal.ts';

const INTERVAL_MS = 1000;

type Progress = JobEvent & { readonly type: 'progress' };

/**
 * Follows an upload or a sync until it closes: in place on a terminal, otherwise with one line for each change.
 *
 * @throws as `result` of the handle if it does not complete
 */
export async function watchStatus(context: CliContext, handle: JobHandle, json: boolean): Promise<void> {
  const { workflowId } = handle;
  const { out, signal } = context;
  const isLive = !json && isLiveTerminal(context.stdout);
  const screen = isLive ? new LiveScreen(context.stdout) : undefined;
  const meter = new RateMeter();
  let lastLine = '';
  const print = (shown: string | object) => {
    const line = typeof shown === 'string' ? shown : JSON.stringify(shown);
    if (line === lastLine) return;
    lastLine = line;
    if (typeof shown === 'string') out(shown);
    else context.json(shown);
  };
  try {
    for await (const event of handle.progress({ intervalMs: INTERVAL_MS, signal })) {
      if (event.type === 'ended') break;
      if (event.type === 'no-answer') {
        // The previous event has the same reason.
        if (event.unpolled) continue;
        const line = `${workflowId}: waiting for a response from a worker or Temporal`;
        if (screen) screen.show(() => [line]);
        else if (!json) print(line);
        continue;
      }
      meter.add(event.bytesSent, Date.now());
      if (json) print({ workflowId, status: 'RUNNING', progress: shownProgress(event) });
      else if (screen) screen.show(() => describe(workflowId, event, meter.bytesPerSecond));
      else describe(workflowId, event).slice(0, 1).forEach(print);
    }
  } finally {
    screen?.close();
  }
  if (json && signal.aborted) context.json({ workflowId, error: jsonErrorOf(signal.reason) });
  signal.throwIfAborted();
  await printEnd(context, handle, json);
}

/** @throws as `result` of the handle if it did not complete */
async function printEnd({ json, out, signal }: CliContext, handle: JobHandle, asJson: boolean): Promise<void> {
  const { status } = await handle.describe();
  const ended = await readEnd(handle, status, signal);
  if (asJson) json(endedJson(ended));
  else if (ended.result) describeEnded(ended).forEach(out);
  if (ended.error) throw ended.error;
}

/** Returns the progress as `status` shows it. */
function shownProgress({ progress, bytesSent, unpolled }: Progress): JobStatus {
  return { ...progress, bytesSent, unpolled };
}

/** @param measured bytes per second; undefined if lines are printed only at a change */
function describe(workflowId: string, event: Progress, measured?: number): string[] {
  const progress = shownProgress(event);
  const status = describeStatus(workflowId, progress);
  if (progress.kind === 'sync') return [status];
  const { bytesPerSecond, leftMs } = uploadPace(progress, event.bytesSent, measured, Date.now());
  const pace = [
    ...(bytesPerSecond === undefined ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(leftMs === undefined ? [] : [`${formatDuration(Math.max(leftMs, 1000))} left`]),
  ];
  return [
    measured === undefined ? status : [status, ...pace].join(' · '),
    ...(progress.kind === 'split' ? describePieces(progress.pieces) : []),
  ];
}
