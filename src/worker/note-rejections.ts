import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ApplicationFailure } from '@temporalio/common';
import { Defaults } from '../contracts/limits.ts';
import { FailureType, type FailureDetails } from '../contracts/failures.ts';
import type { KeyWatch } from './key-watch.ts';

/** The inputs of activities that call a service. */
interface CallingInput {
  readonly destination?: string;
  readonly scope?: { readonly destination?: string };
}

/** Reports to the watch which workflows have calls that failed because of the key. */
export function noteRejections(watch: KeyWatch): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      execute: async (input, next) => {
        const { destination, scope } = (input.args[0] ?? {}) as CallingInput;
        const name = destination ?? scope?.destination ?? Defaults.destination;
        const key = watch.keyOf(name);
        try {
          return await next(input);
        } catch (error) {
          const { workflowExecution } = context.info;
          if (workflowExecution && isAboutKey(error)) watch.add(name, workflowExecution.workflowId, key);
          throw error;
        }
      },
    },
  });
}

/** A missing key is a failure of the configuration. */
function isAboutKey(error: unknown): boolean {
  if (!(error instanceof ApplicationFailure)) return false;
  if (error.type === FailureType.ConfigInvalid) return true;
  const { status } = (error.details?.[0] ?? {}) as FailureDetails;
  return error.type === FailureType.ApiRejected && (status === 401 || status === 403);
}
