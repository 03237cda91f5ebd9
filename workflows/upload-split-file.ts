import type {
  CarriedSplit,
  SplitUploadProgress,
  SplitUploadRequest,
  SplitUploadResult,
} from '../src/contracts/split.ts';
import { carriedSplitProblems } from '../src/core/shape/carried.ts';
import { defineWorkflow } from './shell/define-workflow.ts';
import { SplitRun } from './split/run.ts';

/**
 * Uploads a JSONL source as several Files: cuts it at line ends, and uploads the pieces one after the other, each by an
 * `uploadFile`. A failed piece does not stop the others. The same request later sends the missing pieces.
 *
 * @throws ApplicationFailure with a type of `FailureType`. After the start of the pieces, its details list them
 */
export const uploadSplitFile = defineWorkflow<SplitUploadRequest, CarriedSplit, SplitUploadResult, SplitUploadProgress>(
  {
    noun: 'upload',
    controls: ['pause', 'resume', 'retry', 'retune'],
    hasChildren: true,
    carriedProblems: carriedSplitProblems,
    open: (request, carried) => new SplitRun(request, carried),
    fileIds: ({ files }) => files.map(({ id }) => id),
  },
);
