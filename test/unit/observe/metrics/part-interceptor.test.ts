import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { FailureType } from '../../../../src/contracts/failures.ts';
import { WorkflowCounter } from '../../../../src/contracts/metrics.ts';
import { waitingReason } from '../../../../src/core/upload/reasons.ts';
import { partOutcomes, UNKNOWN_DESTINATION } from '../../../../src/observe/metrics/definitions.ts';
import { partInterceptor, partWatcher } from '../../../../src/observe/metrics/part-interceptor.ts';
import { workerMetricsOf, type WorkerMetrics } from '../../../../src/observe/metrics/worker-metrics.ts';

let registry: Registry;
let metrics: WorkerMetrics;

beforeEach(() => {
  registry = new Registry();
  metrics = workerMetricsOf(registry);
  metrics.addDestination('eu');
});

async function execute(body: () => Promise<unknown>, activityType = 'uploadPart', destination: unknown = 'eu') {
  const interceptor = partInterceptor(metrics)({ info: { activityType, attempt: 1 } } as unknown as Context);
  const execution = interceptor.inbound?.execute?.({ args: [{ destination }], headers: {} }, body) ?? body();
  return execution.catch((error: unknown) => error);
}

/** Outcomes that were counted, as `destination outcome`. */
async function counted(): Promise<string[]> {
  const { values } = (await registry.getSingleMetric('longhaul_parts_total')?.get()) ?? { values: [] };
  return values.flatMap(({ labels, value }) =>
    Array<string>(value).fill(`${labels['destination']} ${labels['outcome']}`),
  );
}

describe('partInterceptor', () => {
  it('counts an attempt by how it ended, and hands its result and its error on as they are', async () => {
    const failure = ApplicationFailure.create({ type: FailureType.ApiUnavailable });
    expect(await execute(async () => 'result')).toBe('result');
    expect(await execute(() => Promise.reject(failure))).toBe(failure);
    const cancelled = () => Promise.reject(new CancelledFailure('no'));
    await partWatcher(metrics)({ destination: 'eu', attempt: 1 }, cancelled).catch(() => {});
    await execute(() => Promise.reject(new Error('a bug')));
    await execute(() => Promise.reject(ApplicationFailure.create({ type: 'of somebody else' })));
    const wanted = ['eu ok', 'eu ApiUnavailable', 'eu Cancelled', 'eu Unknown', 'eu Unknown'];
    expect((await counted()).toSorted()).toEqual(wanted.toSorted());
  });

  it('counts no other activities', async () => {
    await execute(async () => 1, 'hashSource');
    expect(await counted()).toEqual([]);
  });

  it('gives a destination that no configuration has no label of its own', async () => {
    await execute(async () => 1, 'uploadPart', 'chosen-by-a-caller');
    await execute(async () => 1, 'uploadPart', 17);
    expect(await counted()).toEqual([`${UNKNOWN_DESTINATION} ok`, `${UNKNOWN_DESTINATION} ok`]);
  });
});

describe('the labels', () => {
  it('begin at 0 for every outcome of every destination', async () => {
    const { values } = (await registry.getSingleMetric('longhaul_parts_total')?.get()) ?? { values: [] };
    expect(values).toHaveLength(2 * partOutcomes.length);
  });

  it('of what waits for a person are exactly the failures that can be waited for', () => {
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
