import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineQuery,
  defineUpdate,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import { QueryName, UpdateName, type PauseInput, type RetuneInput } from '../src/contracts/names.ts';
import type { SplitUploadProgress, SplitUploadRequest, SplitUploadResult } from '../src/contracts/split.ts';
import { SPLIT_IGNORES_NO_INODE, splitRequestProblems } from '../src/core/split-request.ts';
import { retuneProblems } from '../src/core/upload-request.ts';
import { failureOf, reasonOfFailure } from './failure-of.ts';
import { invalidRequest } from './invalid-request.ts';
import { logCompletedUpload, logFailedUpload, logRejectedRequest } from './log-end.ts';
import { placeProblems } from './place-problems.ts';
import { ShownAttributes } from './shown-attributes.ts';
import { SplitRun } from './split-run.ts';

const progressQuery = defineQuery<SplitUploadProgress>(QueryName.progress);
const pauseUpdate = defineUpdate<SplitUploadProgress, [PauseInput | undefined]>(UpdateName.pause);
const resumeUpdate = defineUpdate<SplitUploadProgress>(UpdateName.resume);
const retryUpdate = defineUpdate<SplitUploadProgress>(UpdateName.retry);
const retuneUpdate = defineUpdate<SplitUploadProgress, [RetuneInput]>(UpdateName.retune);

/**
 * Uploads a source of lines as several Files: cuts it at line ends, and sends each piece by an `uploadFile` of its own,
 * one after the other. A piece that fails doesn't stop the others; the same request sends later what is missing.
 *
 * @throws ApplicationFailure with one of the types of `FailureType`; once the pieces had begun, its details list them
 */
export async function uploadSplitFile(request: SplitUploadRequest): Promise<SplitUploadResult> {
  const problems = splitRequestProblems(request);
  if (problems.length === 0) problems.push(...placeProblems(request, true));
  if (problems.length > 0) {
    new ShownAttributes().showRefusal();
    const failure = invalidRequest(...problems);
    logRejectedRequest('upload', failure);
    throw failure;
  }

  const split = new SplitRun(request);
  handleSteering(split);
  try {
    const result = await split.run();
    logCompletedUpload(
      split.progress(),
      result.files.map(({ id }) => id),
    );
    return result;
  } catch (error) {
    const failure = failureOf(error);
    split.end(isCancellation(error) ? 'cancelled' : 'failed', reasonOfFailure(failure));
    logFailedUpload(split.progress(), failure);
    throw failure;
  } finally {
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

function handleSteering(split: SplitRun): void {
  setHandler(progressQuery, () => split.progress());
  setHandler(
    pauseUpdate,
    (input) => steer(() => split.pause(input?.parts === undefined ? {} : { parts: input.parts })),
    {
      validator: (input) => {
        if (input?.parts !== undefined && input.parts !== 'finish' && input.parts !== 'stop')
          throw invalidRequest('"parts" must be "finish" or "stop"');
      },
    },
  );
  setHandler(resumeUpdate, () => steer(() => split.resume()));
  setHandler(retryUpdate, () => steer(() => split.retry()));
  setHandler(retuneUpdate, (input) => steer(() => split.retune(input)), {
    validator: (input) => {
      const wrong = retuneProblems(input);
      if (wrong.length === 0 && input.ignoreInode) wrong.push(SPLIT_IGNORES_NO_INODE);
      if (wrong.length > 0) throw invalidRequest(...wrong);
    },
  });
}

async function steer(act: () => Promise<SplitUploadProgress>): Promise<SplitUploadProgress> {
  try {
    return await act();
  } catch (error) {
    throw failureOf(error);
  }
}
