import { metricMeter } from '@temporalio/workflow';
import { WorkflowCounter, type WorkflowCounterDefinition } from '../../src/contracts/metrics.ts';
import type { UploadState } from '../../src/contracts/upload.ts';

export function countStart(): void {
  add(WorkflowCounter.uploadsStarted);
}

/** Counts only final states of an upload. */
export function countEnd(state: UploadState): void {
  add(WorkflowCounter.uploadsEnded, 1, state);
}

/** @param isFirst whether the upload did not wait before */
export function countParked(reason: string, isFirst: boolean): void {
  if (isFirst) add(WorkflowCounter.uploadsParked, 1, reason);
  add(WorkflowCounter.parkedTries, 1, reason);
}

/** @param bytesDone recorded bytes of the lost session */
export function countReplacedSession(bytesDone: number): void {
  add(WorkflowCounter.sessionsReplaced);
  add(WorkflowCounter.sessionLostBytes, bytesDone);
}

export function countSessionAtRisk(): void {
  add(WorkflowCounter.sessionsAtRisk);
}

/** Ignores values that are not defined, so that the number of labels is limited. */
function add({ name, help, label }: WorkflowCounterDefinition, value = 1, labelValue = ''): void {
  if (label && !label.values.includes(labelValue)) return;
  metricMeter.createCounter(name, undefined, help).add(value, label ? { [label.name]: labelValue } : {});
}
