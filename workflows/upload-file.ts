import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  ContinueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  makeContinueAsNewFunc,
  setHandler,
} from '@temporalio/workflow';
import { QueryName, UpdateName, type PauseInput, type RetuneInput } from '../src/contracts/names.ts';
import type { UploadProgress, UploadRequest, UploadResult } from '../src/contracts/upload.ts';
import { carriedUploadProblems } from '../src/core/carried.ts';
import { retuneProblems, uploadRequestProblems } from '../src/core/upload-request.ts';
import { countStart } from './counters.ts';
import { failureOf, reasonOfFailure } from './failure-of.ts';
import { invalidRequest } from './invalid-request.ts';
import { logCompletedUpload, logFailedUpload, logRejectedRequest } from './log-end.ts';
import { placeProblems } from './place-problems.ts';
import { ShownAttributes } from './shown-attributes.ts';
import { UploadRun, type CarriedUpload } from './upload-run.ts';

export const progressQuery = defineQuery<UploadProgress>(QueryName.progress);
export const pauseUpdate = defineUpdate<UploadProgress, [PauseInput | undefined]>(UpdateName.pause);
export const resumeUpdate = defineUpdate<UploadProgress>(UpdateName.resume);
export const retryUpdate = defineUpdate<UploadProgress>(UpdateName.retry);
export const retuneUpdate = defineUpdate<UploadProgress, [RetuneInput]>(UpdateName.retune);

/**
 * Uploads one file: inspects it, opens an Upload, sends its parts, completes it. One execution is one File.
 *
 * @param carried what the execution before this one handed over; callers leave it out
 * @throws ApplicationFailure with one of the types of `FailureType`; a session that was opened is cancelled then
 */
export async function uploadFile(request: UploadRequest, carried?: CarriedUpload): Promise<UploadResult> {
  const problems = [...uploadRequestProblems(request), ...carriedUploadProblems(carried)];
  if (problems.length === 0) problems.push(...placeProblems(request, false));
  if (problems.length > 0) {
    new ShownAttributes().showRefusal();
    const failure = invalidRequest(...problems);
    logRejectedRequest('upload', failure);
    throw failure;
  }

  if (!carried) countStart();
  const upload = new UploadRun(request, carried);
  handleSteering(upload);
  try {
    const handOver = await upload.run();
    // A cancellation that came after the File was made must not hide it.
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    if ('file' in handOver) {
      logCompletedUpload(upload.progress(), [handOver.file.id]);
      return handOver;
    }
    // The next execution would not know of a cancellation that came to this one.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled at the hand-over');
    return await makeContinueAsNewFunc<typeof uploadFile>()(request, handOver);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const failure = failureOf(error);
    const receipt = await upload.abandon(isCancellation(error) ? 'cancelled' : 'failed', reasonOfFailure(failure));
    if (receipt) {
      // Nothing may hide a File that exists.
      logCompletedUpload(upload.progress(), [receipt.file.id]);
      return receipt;
    }
    logFailedUpload(upload.progress(), failure);
    throw failure;
  }
}

function handleSteering(upload: UploadRun): void {
  setHandler(progressQuery, () => upload.progress());
  setHandler(
    pauseUpdate,
    async (input) => {
      await upload.pause(input?.parts ?? 'finish');
      return upload.progress();
    },
    {
      validator: (input) => {
        if (input?.parts !== undefined && input.parts !== 'finish' && input.parts !== 'stop')
          throw invalidRequest('"parts" must be "finish" or "stop"');
        if (upload.isCompleting && input?.whileCompleting !== true)
          throw invalidRequest('the upload is completing; there is nothing left to pause');
      },
    },
  );
  setHandler(resumeUpdate, () => {
    upload.resume();
    return upload.progress();
  });
  setHandler(retryUpdate, () => {
    upload.retry();
    return upload.progress();
  });
  setHandler(
    retuneUpdate,
    (input) => {
      upload.retune(input);
      return upload.progress();
    },
    {
      validator: (input) => {
        const problems = retuneProblems(input);
        const problem = problems.length === 0 ? upload.retuneProblem(input) : undefined;
        if (problem !== undefined) problems.push(problem);
        if (problems.length > 0) throw invalidRequest(...problems);
      },
    },
  );
}
