import { ActivityFailure, ApplicationFailure, proxyActivities, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { ControlActivities, TransferActivities } from '../../src/contracts/activities.ts';
import { FailureType, type FailureDetails } from '../../src/contracts/failures.ts';
import { resultShapes, uploadResult } from '../../src/core/shape/results.ts';
import type { UploadResult } from '../../src/contracts/upload.ts';

declare const unchecked: unique symbol;

/**
 * A result of an activity, which any client of Temporal can have written: `temporal activity complete --result '{}'`.
 * `checkedResult` returns it with its type.
 */
export interface Unchecked<Result> {
  readonly [unchecked]: Result;
}

type UncheckedActivities<Activities> = {
  [Name in keyof Activities]: Activities[Name] extends (input: infer Input) => Promise<infer Result>
    ? (input: Input) => Promise<[Result] extends [void] ? void : Unchecked<Result>>
    : never;
};

/** Activities as a workflow calls them: it checks their results before it uses them. */
export type Calls<Activities> = ActivityInterfaceFor<UncheckedActivities<Activities>>;

export function callsOf<Activities>(options: Parameters<typeof proxyActivities>[0]): Calls<Activities> {
  return proxyActivities<UncheckedActivities<Activities>>(options);
}

type AllActivities = ControlActivities & TransferActivities;
type ResultOf<Name extends keyof AllActivities> = Awaited<ReturnType<AllActivities[Name]>>;

/**
 * Returns the result of an activity if a worker of Longhaul can have returned it. Not asynchronous, because another turn of
 * the event loop could change the order of commands of recorded histories.
 *
 * @param isExpected further check, for this call
 * @throws ActivityFailure, as if the activity had failed after the call to the service
 */
export function checkedResult<Name extends keyof typeof resultShapes>(
  name: Name,
  result: Unchecked<ResultOf<Name>>,
  isExpected: (result: ResultOf<Name>) => boolean = () => true,
): ResultOf<Name> {
  const value = result as unknown as ResultOf<Name>;
  if (resultShapes[name](value) && isExpected(value)) return value;
  // The attempt can have opened a session.
  const details: FailureDetails[] = name === 'createUpload' ? [{ unanswered: 1 }] : [];
  const failure = invalidResult(`the activity ${name}`, details);
  throw new ActivityFailure('Activity task failed', name, undefined, 'NON_RETRYABLE_FAILURE', undefined, failure);
}

/** Returns the result of the upload of a fleet. @throws ApplicationFailure if a worker of Longhaul cannot have returned it */
export function checkedUpload(result: UploadResult): UploadResult {
  if (!uploadResult(result)) throw invalidResult('the workflow of the upload');
  return result;
}

function invalidResult(of: string, details: FailureDetails[] = []): ApplicationFailure {
  const message = `the result of ${of} is not that of a worker of Longhaul`;
  return ApplicationFailure.nonRetryable(message, FailureType.ResultInvalid, ...details);
}
