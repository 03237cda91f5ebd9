import { ApplicationFailure } from '@temporalio/common';
import type { z } from 'zod';
import type { DestinationLimits } from '../src/contracts/limits.ts';
import { FailureType, type Admitted, type FailureDetails, type JobSubject } from '../src/contracts/failures.ts';
import { checkRequest } from '../src/contracts/requests/problems.ts';
import type { FullUploadRequest } from '../src/contracts/upload.ts';
import { filenameOfSource } from '../src/core/source/names.ts';
import { clipMessage } from '../src/core/text/clip.ts';
import { nameKey } from '../src/core/text/name-form.ts';
import { partSizeProblem } from '../src/core/upload/plan.ts';
import { limitsOf } from '../src/destinations/limits.ts';
import { ConfigError } from '../src/errors.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { failureWith, toApplicationFailure } from './failures.ts';

/** A valid request, with the properties that the workflow needs while this activity fails. */
export interface Known<Full> {
  readonly request: Full;
  readonly subject: JobSubject;
  readonly giveUpAfterMs: number;
  /** As requested. @defaultValue by the size of the file */
  readonly partSizeBytes?: number | undefined;
}

/**
 * Runs the first activity of a workflow. It checks the request like clients do, because other programs also start
 * workflows, and returns it with its defaults. The workflow uses only this request.
 *
 * @param complete adds the defaults that the schema does not have
 * @throws ApplicationFailure of the type `InvalidRequest` with every problem, which is not retried
 */
export async function firstCall<Schema extends z.ZodType, Full, Result extends object>(
  { schema, input, complete }: FirstCall<Schema, Full>,
  { attempt }: { readonly attempt: number },
  { destination, hasAttributes: ask = async () => false }: Pick<ActivityDependencies, 'destination' | 'hasAttributes'>,
  call: (request: Full, limits: DestinationLimits) => Promise<Result>,
): Promise<Result & Admitted<Full>> {
  const hasAttributes = await ask();
  const { problems, full } = checkRequest(schema, input);
  const invalid = (texts: readonly string[], details: FailureDetails) =>
    ApplicationFailure.nonRetryable(clipMessage(texts.join('; ')), FailureType.InvalidRequest, details);
  if (full === undefined) throw invalid(problems, { attempt, hasAttributes });
  const { request, subject, giveUpAfterMs, partSizeBytes } = complete(full);
  try {
    const limits = limitsFor(destination, subject);
    const problem = partSizeProblem(limits, partSizeBytes);
    if (problem !== undefined) throw invalid([problem], { attempt });
    return { request, hasAttributes, limits, ...(await call(request, limits)) };
  } catch (error) {
    throw withDetails(toApplicationFailure(error, { attempt }), { hasAttributes, subject, giveUpAfterMs });
  }
}

interface FirstCall<Schema extends z.ZodType, Full> {
  readonly schema: Schema;
  /** The request as the caller sent it. */
  readonly input: unknown;
  readonly complete: (request: z.output<Schema>) => Known<Full>;
}

type Named = Pick<FullUploadRequest, 'source' | 'purpose' | 'destination' | 'giveUpAfterMs'> &
  Partial<Pick<FullUploadRequest, 'filename' | 'partSizeBytes'>>;

/** Completes the request of an upload: the name of its File is that of the source. */
export function withFilename<Checked extends Named>(checked: Checked): Known<Checked & { readonly filename: string }> {
  const { source, purpose, destination, giveUpAfterMs, partSizeBytes } = checked;
  const filename = nameKey(checked.filename ?? filenameOfSource(source));
  return {
    request: { ...checked, filename },
    subject: { filename, purpose, destination },
    giveUpAfterMs,
    partSizeBytes,
  };
}

/** Without its key, this worker has no such destination. The next call reports that. */
function limitsFor(
  destination: ActivityDependencies['destination'],
  { destination: name, purpose }: JobSubject,
): DestinationLimits {
  try {
    return destination(name).limits(purpose);
  } catch (error) {
    if (error instanceof ConfigError) return limitsOf({}, purpose);
    throw error;
  }
}

function withDetails(failure: Error, details: FailureDetails): Error {
  if (!(failure instanceof ApplicationFailure)) return failure;
  return failureWith(failure, { details: [{ ...(failure.details?.[0] as FailureDetails | undefined), ...details }] });
}
