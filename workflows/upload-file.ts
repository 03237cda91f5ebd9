import type { UploadProgress, UploadRequest, UploadResult } from '../src/contracts/upload.ts';
import { carriedUploadProblems } from '../src/core/upload/carried.ts';
import { countStart } from './shell/counters.ts';
import { defineWorkflow } from './shell/define-workflow.ts';
import { UploadRun, type CarriedUpload } from './upload/run.ts';

/**
 * Uploads one file: inspects it, opens an Upload, sends its parts, completes it. One execution is one File. The second
 * argument is what the execution before this one handed over; callers leave it out.
 *
 * @throws ApplicationFailure with one of the types of `FailureType`; a session that was opened is cancelled then
 */
export const uploadFile = defineWorkflow<UploadRequest, CarriedUpload, UploadResult, UploadProgress>({
  noun: 'upload',
  controls: ['pause', 'resume', 'retry', 'retune'],
  hasChildren: false,
  carriedProblems: carriedUploadProblems,
  open: (request, carried, reports) => {
    if (!carried) countStart();
    return new UploadRun(request, carried, reports);
  },
  fileIds: ({ file }) => [file.id],
});
