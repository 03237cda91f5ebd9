import type { SyncEvent, SyncHandle, SyncStatus } from '../../../client/sync-handle.ts';
import type { UploadEvent } from '../../../client/follow/events.ts';
import type { UploadHandle, UploadStatus } from '../../../client/upload-handle.ts';
import type { SplitUploadProgress } from '../../../contracts/split.ts';
import { formatBytes, formatDuration } from '../../../core/text/format.ts';
import { RateMeter } from '../../../core/pace/rate-meter.ts';
import { uploadPace } from '../../../core/pace/upload-pace.ts';
import type { CliContext } from '../../context.ts';
import { readEnd } from '../../../client/follow/read-end.ts';
import type { SyncResult } from '../../../contracts/sync.ts';
import { describeEnded, endedJson } from './ended-view.ts';
import { describeSyncStatus } from '../sync/find-sync.ts';
import { jsonErrorOf } from '../../errors/json-errors.ts';
import { isLiveTerminal, LiveScreen } from '../../text/live-screen.ts';
import { describePieces, describeStatus } from './view.ts';
import type { AnyResult } from '../upload/outcomes.ts';

const INTERVAL_MS = 1000;

type Handle = UploadHandle<AnyResult> | SyncHandle;
type Progress = (UploadEvent | SyncEvent) & { readonly type: 'progress' };

/**
 * Follows an upload or a sync to its end: in place on a terminal, else a line at each change.
 *
 * @throws what the handle's `result` throws when it does not complete
 */
export async function watchStatus(context: CliContext, handle: Handle, json: boolean): Promise<void> {
  const { workflowId } = handle;
  const { out, signal } = context;
  const isLive = !json && isLiveTerminal(context.stdout);
  const screen = isLive ? new LiveScreen(context.stdout) : undefined;
  const meter = new RateMeter();
  let lastLine = '';
  const tell = (shown: string | object) => {
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
        // The event before it has the same.
        if (event.unpolled) continue;
        const line = `${workflowId}: waiting for a worker or for Temporal to answer`;
        if (screen) screen.show(() => [line]);
        else if (!json) tell(line);
        continue;
      }
      if (event.bytesSent !== undefined) meter.add(event.bytesSent, Date.now());
      if (json) tell({ workflowId, status: 'RUNNING', progress: shownProgress(event) });
      else if (screen) screen.show(() => describe(workflowId, event, meter.bytesPerSecond));
      else describe(workflowId, event).slice(0, 1).forEach(tell);
    }
  } finally {
    screen?.close();
  }
  if (json && signal.aborted) context.json({ workflowId, error: jsonErrorOf(signal.reason) });
  signal.throwIfAborted();
  await tellEnd(context, handle, json);
}

/** @throws what the handle's `result` throws when it did not complete */
async function tellEnd({ json, out, signal }: CliContext, handle: Handle, asJson: boolean): Promise<void> {
  const { status } = await handle.describe();
  const ended = await readEnd<AnyResult | SyncResult>(handle, status, signal);
  if (asJson) json(endedJson(ended));
  else if (ended.result) describeEnded(ended).forEach(out);
  if (ended.error) throw ended.error;
}

/** As `status` shows it once: of a sync with the bytes of the files under way. */
function shownProgress({ progress, bytesSent, unpolled }: Progress): UploadStatus | SyncStatus {
  const shown = { ...progress, unpolled };
  return 'counts' in shown && bytesSent !== undefined ? { ...shown, bytesSent } : shown;
}

/** @param measured bytes a second; undefined where lines are told only when something has changed */
function describe(workflowId: string, event: Progress, measured?: number): string[] {
  const progress = shownProgress(event);
  if ('counts' in progress) return [describeSyncStatus(workflowId, progress)];
  const { bytesSent } = event as UploadEvent & { readonly type: 'progress' };
  const { bytesPerSecond, leftMs } = uploadPace(progress, bytesSent, measured, Date.now());
  const pace = [
    ...(bytesPerSecond === undefined ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(leftMs === undefined ? [] : [`${formatDuration(Math.max(leftMs, 1000))} left`]),
  ];
  const status = describeStatus(workflowId, progress);
  return [
    measured === undefined ? status : [status, ...pace].join(' · '),
    ...('pieces' in progress ? describePieces((progress as SplitUploadProgress).pieces) : []),
  ];
}
