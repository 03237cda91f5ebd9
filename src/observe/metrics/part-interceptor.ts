import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { TransferActivities } from '../../contracts/activities.ts';
import { PartOutcome } from './definitions.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

const SENDING: keyof TransferActivities = 'uploadPart';

/** Counts the attempts of the activities that send one part by their outcome, and records them while they run. */
export function partInterceptor(metrics: WorkerMetrics): ActivityInterceptorsFactory {
  const watchPart = partWatcher(metrics);
  return ({ info: { activityType, attempt } }) => {
    if (activityType !== SENDING) return {};
    return {
      inbound: {
        execute: (input, next) => {
          const { destination } = (input.args[0] ?? {}) as { readonly destination?: unknown };
          return watchPart({ destination, attempt }, () => next(input));
        },
      },
    };
  };
}

/** As `partInterceptor`, for the files of an activity that sends many. */
export function partWatcher(metrics: WorkerMetrics) {
  return async <T>(
    { destination: name, attempt }: { readonly destination: unknown; readonly attempt: number },
    body: () => Promise<T>,
  ): Promise<T> => {
    const destination = metrics.labelOf(name);
    try {
      const result = await metrics.flights.run(destination, attempt, body);
      metrics.countOutcome(destination, PartOutcome.ok);
      return result;
    } catch (error) {
      metrics.countOutcome(destination, outcomeOf(error));
      throw error;
    }
  };
}

function outcomeOf(error: unknown): string {
  if (error instanceof CancelledFailure) return PartOutcome.cancelled;
  return error instanceof ApplicationFailure ? (error.type ?? PartOutcome.unknown) : PartOutcome.unknown;
}
