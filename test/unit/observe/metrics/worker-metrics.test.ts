import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { FailureType } from '../../../../src/contracts/failures.ts';
import { WorkflowCounter } from '../../../../src/contracts/metrics.ts';
import { waitingReason } from '../../../../src/core/upload/reasons.ts';
import { partOutcomes, UNKNOWN_DESTINATION } from '../../../../src/observe/metrics/definitions.ts';
import { workerMetricsOf, type WorkerMetrics } from '../../../../src/observe/metrics/worker-metrics.ts';

let registry: Registry;
let metrics: WorkerMetrics;

beforeEach(() => {
  registry = new Registry();
  metrics = workerMetricsOf(registry);
  metrics.addDestination('eu');
});

/** Outcomes that were counted, as `destination outcome`. */
async function counted(): Promise<string[]> {
  const { values } = (await registry.getSingleMetric('longhaul_parts_total')?.get()) ?? { values: [] };
  return values.flatMap(({ labels, value }) =>
    Array<string>(value).fill(`${labels['destination']} ${labels['outcome']}`),
  );
}

describe('the watch of a part', () => {
  const finish = (destination: string, error?: unknown) =>
    metrics.watchPart({ destination, attempt: 1 }).finished(error);

  it('counts an attempt by its outcome', async () => {
    finish('eu');
    finish('eu', ApplicationFailure.create({ type: FailureType.ApiUnavailable }));
    finish('eu', new CancelledFailure('no'));
    finish('eu', new Error('a bug'));
    finish('eu', ApplicationFailure.create({ type: 'of another program' }));
    const wanted = ['eu ok', 'eu ApiUnavailable', 'eu Cancelled', 'eu Unknown', 'eu Unknown'];
    expect((await counted()).toSorted()).toEqual(wanted.toSorted());
  });

  it('has no label for a destination that no configuration has', async () => {
    finish('chosen-by-a-caller');
    finish(17 as never);
    expect(await counted()).toEqual([`${UNKNOWN_DESTINATION} ok`, `${UNKNOWN_DESTINATION} ok`]);
  });

  it('uses the label of a destination that is used for the first time during the attempt', async () => {
    const watch = metrics.watchPart({ destination: 'new', attempt: 1 });
    metrics.sessionCounter('new');
    watch.finished();
    expect(await counted()).toEqual(['new ok']);
  });
});

describe('the labels', () => {
  it('start at 0 for every outcome of every destination', async () => {
    const { values } = (await registry.getSingleMetric('longhaul_parts_total')?.get()) ?? { values: [] };
    expect(values).toHaveLength(2 * partOutcomes.length);
  });

  it('of waiting uploads are exactly the failure types with a waiting reason', () => {
    const canWait = Object.values(FailureType).filter(
      (failureType) => waitingReason({ failureType, status: 401, message: '' }) !== undefined,
    );
    expect([...WorkflowCounter.uploadsParked.label.values].toSorted()).toEqual(canWait.toSorted());
  });

  it('are shared by the workers of one registry', () => {
    expect(workerMetricsOf(registry)).toBe(metrics);
    expect(workerMetricsOf(new Registry())).not.toBe(metrics);
  });
});
