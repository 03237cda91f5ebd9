import type { JobHandle } from '../../../client/job-handle.ts';
import type { JobStatus } from '../../../client/jobs.ts';
import { formatBytes, formatDuration } from '../../../core/text/format.ts';
import { RateMeter } from '../../../core/pace/rate-meter.ts';
import { uploadPace } from '../../../core/pace/upload-pace.ts';
import type { CliContext } from '../../context.ts';
import { readEnd } from '../../../client/follow/read-end.ts';
import { describeEnded, describeJob, describeStatus, endedJson } from './view.ts';
import { waitOrSilenceOf } from '../../text/progress.ts';
import { jsonErrorOf } from '../../errors.ts';
import { isLiveTerminal, LiveScreen } from '../../text/terminal.ts';

const INTERVAL_MS = 1000;

/**
 * Follows an upload or a sync until it closes: in place on a terminal, otherwise with one line for each change.
 *
 * @throws as `result` of the handle if it does not complete
 */
export async function watchStatus(context: CliContext, handle: JobHandle, json: boolean): Promise<void> {
  const { workflowId } = handle;
  const { out, signal } = context;
  const isLive = !json && isLiveTerminal(context.stdout, context.term);
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
        const line = event.isPaused ? event.reason : `${workflowId}: ${waitOrSilenceOf(event, workflowId)}`;
        if (screen) screen.show(() => [line]);
        else if (!json) print(line);
        continue;
      }
      const { bytesSent, unpolled, pausedActivity } = event;
      meter.add(bytesSent, Date.now());
      const progress: JobStatus = { ...event.progress, bytesSent, unpolled, pausedActivity };
      if (json) print({ workflowId, status: 'RUNNING', progress });
      else if (screen) screen.show(() => describeJob(workflowId, progress, paceWords(progress, meter.bytesPerSecond)));
      else print(describeStatus(workflowId, progress));
    }
  } catch (error) {
    // The last line, also if Temporal deletes the job.
    if (json) context.json({ workflowId, error: jsonErrorOf(error) });
    throw error;
  } finally {
    screen?.close();
  }
  if (json && signal.aborted) context.json({ workflowId, error: jsonErrorOf(signal.reason) });
  signal.throwIfAborted();
  const { status } = await handle.describe();
  const ended = await readEnd(handle, status, signal);
  if (json) context.json(endedJson(ended));
  else if (ended.result) describeEnded(ended).forEach(out);
  if (ended.error) throw ended.error;
}

/** @param measured bytes per second; undefined at the first event */
function paceWords(progress: JobStatus, measured: number | undefined): string[] {
  if (progress.kind === 'sync' || measured === undefined) return [];
  const { bytesPerSecond, leftMs } = uploadPace(progress, progress.bytesSent, measured, Date.now());
  return [
    ...(bytesPerSecond === undefined ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(leftMs === undefined ? [] : [`${formatDuration(Math.max(leftMs, 1000))} left`]),
  ];
}
