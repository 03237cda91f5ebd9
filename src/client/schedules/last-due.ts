import type { Client, ScheduleDescription } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';

/** Periods in which times are searched, step by step, because the server returns only the first thousand of a period. */
const SPANS_MS = [60_000, 3_600_000, 86_400_000, 40 * 86_400_000, 400 * 86_400_000] as const;

/**
 * Returns the latest time up to `untilMs` at which a run was due (without jitter), but not before the schedule's last
 * change; undefined if none was due.
 *
 * @throws ServiceError of Temporal's client
 */
export async function lastDue(
  client: Client,
  { scheduleId, info }: ScheduleDescription,
  untilMs: number,
): Promise<number | undefined> {
  const sinceMs = (info.lastUpdatedAt ?? info.createdAt).getTime();
  for (const spanMs of SPANS_MS) {
    const fromMs = Math.max(sinceMs, untilMs - spanMs);
    if (fromMs >= untilMs) return undefined;
    const { startTime } = await client.workflowService.listScheduleMatchingTimes({
      namespace: client.options.namespace,
      scheduleId,
      startTime: msToTs(fromMs),
      endTime: msToTs(untilMs),
    });
    const found = startTime.at(-1);
    if (found) return tsToMs(found);
    if (fromMs === sinceMs) return undefined;
  }
  return undefined;
}
