import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { TransferActivities } from '../contracts/activities.ts';
import { PartOutcome } from './definitions.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

const sending: readonly (keyof TransferActivities)[] = ['uploadPart', 'sendSmallFile'];

/** Counts the attempts of the activities that send parts by how they end, and knows them while they are under way. */
export function partInterceptor(metrics: WorkerMetrics): ActivityInterceptorsFactory {
  return ({ info }) => {
    if (!sending.some((name) => name === info.activityType)) return {};
    return {
      inbound: {
        execute: async (input, next) => {
          const destination = metrics.labelOf((input.args[0] as { readonly destination?: unknown })?.destination);
          try {
            const result = await metrics.flights.run(destination, info.attempt, () => next(input));
            metrics.countOutcome(destination, PartOutcome.ok);
            return result;
          } catch (error) {
            metrics.countOutcome(destination, outcomeOf(error));
            throw error;
          }
        },
      },
    };
  };
}

function outcomeOf(error: unknown): string {
  if (error instanceof CancelledFailure) return PartOutcome.cancelled;
  return error instanceof ApplicationFailure ? (error.type ?? PartOutcome.unknown) : PartOutcome.unknown;
}
