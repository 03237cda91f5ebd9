import { Runtime } from '@temporalio/worker';
import { WorkflowCounter, type WorkflowCounterDefinition } from '../../contracts/metrics.ts';
import { WorkflowName } from '../../contracts/names.ts';

const waits: readonly WorkflowCounterDefinition[] = [WorkflowCounter.uploadsParked, WorkflowCounter.parkedTries];
const counters: readonly WorkflowCounterDefinition[] = Object.values(WorkflowCounter);

/** A sync and a split upload wait like an upload, and count nothing else. */
const counting: Readonly<Record<string, readonly WorkflowCounterDefinition[]>> = {
  [WorkflowName.uploadFile]: counters,
  [WorkflowName.uploadSplitFile]: waits,
  [WorkflowName.syncSource]: waits,
};

/** Starts every series of the workflows' counters at 0: Prometheus does not count a series that starts at 1 as an increase. */
export function startWorkflowCounters(where: { readonly namespace: string; readonly taskQueue: string }): void {
  for (const [workflowType, definitions] of Object.entries(counting)) {
    const meter = Runtime.instance().metricMeter.withTags({ ...where, workflowType });
    for (const { name, help, label } of definitions) {
      const counter = meter.createCounter(name, undefined, help);
      if (label) for (const value of label.values) counter.add(0, { [label.name]: value });
      else counter.add(0);
    }
  }
}
