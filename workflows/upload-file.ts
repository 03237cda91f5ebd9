import type { UploadProgress, UploadRequest, UploadResult } from '../src/contracts/upload.ts';
import { carriedUploadProblems } from '../src/core/shape/carried.ts';
import { countStart } from './shell/counters.ts';
import { defineWorkflow } from './shell/define-workflow.ts';
import { UploadRun, type CarriedUpload } from './upload/run.ts';

/**
 * Uploads one file: inspects it, opens an Upload, sends its parts and completes it. One execution is one File. The second
 * argument is the state of the previous execution. Callers omit it.
 *
 * @throws ApplicationFailure with a type of `FailureType`, after the session is cancelled
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
