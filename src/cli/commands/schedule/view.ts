import { nameOfSource, nameOfContainer } from '../../../core/source/names.ts';
import { formatBytes, formatDuration } from '../../../core/text/format.ts';
import type { ScheduleInfo, ScheduleReport, ScheduleRun } from '../../../client/schedules/schedule-options.ts';
import { isCount } from '../../../client/schedules/schedule-runs.ts';

const SHOWN_TIMES = 5;

export function describeScheduleLine(schedule: ScheduleInfo): string {
  const [next] = schedule.nextAt;
  const outlook = schedule.paused ? 'paused' : next ? `next ${next.toISOString()}` : 'no further runs';
  return `${schedule.name}: ${timesOf(schedule)} · ${workOf(schedule)} · ${outlook}`;
}

export function describeSchedule(report: ScheduleReport): string[] {
  const { note, nextAt, runs, paused, overlap, jitterMs, catchupWindowMs, taskQueue } = report;
  const policies = [
    `overlap ${overlap}`,
    `catch-up ${formatDuration(catchupWindowMs)}`,
    ...(jitterMs > 0 ? [`jitter ${formatDuration(jitterMs)}`] : []),
    ...(report.pauseOnFailure ? ['pauses on failure'] : []),
    ...(report.startAt ? [`from ${report.startAt.toISOString()}`] : []),
    ...(report.endAt ? [`until ${report.endAt.toISOString()}`] : []),
  ];
  return [
    describeScheduleLine(report),
    ...(note ? [`note: ${note}`] : []),
    policies.join(' · '),
    `runs: ${report.runsStarted} started, ${report.runsSkipped} skipped because another was running, ${report.runsMissed} missed in outages`,
    ...(report.hasWorkers ? [] : [`no worker polls task queue "${taskQueue}", so runs wait. Start "longhaul worker".`]),
    ...(paused ? [] : nextAt.slice(0, SHOWN_TIMES).map((date) => `next  ${date.toISOString()}`)),
    ...runs.map(describeRun),
  ];
}

function describeRun({ workflowId, startedAt, endedAt, outcome, detail, counts, waitsFor }: ScheduleRun): string {
  const took = endedAt ? ` after ${formatDuration(endedAt.getTime() - startedAt.getTime())}` : '';
  const words = [
    `${startedAt.toISOString()}  ${waitsFor ? 'waiting' : outcome}${took}`,
    workflowId,
    ...amounts(counts),
  ];
  if (detail) words.push(detail);
  if (waitsFor) words.push(waitsFor);
  return words.join(' · ');
}

function amounts(counts: ScheduleRun['counts']): string[] {
  const { sent, same, deleted } = counts ?? {};
  const { files, bytes } = (sent ?? {}) as { readonly files?: unknown; readonly bytes?: unknown };
  return [
    ...(isCount(files) ? [`${files} sent (${formatBytes(isCount(bytes) ? bytes : 0)})`] : []),
    ...(isCount(same) ? [`${same} unchanged`] : []),
    ...(isCount(deleted) && deleted > 0 ? [`${deleted} deleted`] : []),
  ];
}

function timesOf({ cron, intervals, timezone }: ScheduleInfo): string {
  const times = [
    ...cron.map((expression) => `cron "${expression}" ${timezone}`),
    ...intervals.map(({ everyMs, offsetMs }) => {
      const offset = offsetMs > 0 ? ` + ${formatDuration(offsetMs)}` : '';
      return `every ${formatDuration(everyMs)}${offset}`;
    }),
  ];
  // A schedule of another program can have none, and start only on request.
  return times.length > 0 ? times.join(', ') : 'no times';
}

function workOf({ sync, upload }: ScheduleInfo): string {
  if (sync) return `sync ${nameOfContainer(sync.source)} → ${sync.purpose}`;
  return upload ? `upload ${nameOfSource(upload.source)} → ${upload.purpose}` : 'not by Longhaul';
}
