import type {
  CarriedSplit,
  SplitUploadProgress,
  SplitUploadRequest,
  SplitUploadResult,
} from '../src/contracts/split.ts';
import { carriedSplitProblems } from '../src/core/upload/carried.ts';
import { defineWorkflow } from './shell/define-workflow.ts';
import { SplitRun } from './split/run.ts';

/**
 * Uploads a source of lines as several Files: cuts it at line ends, and sends each piece by an `uploadFile` of its own,
 * one after the other. A piece that fails doesn't stop the others; the same request sends later what is missing.
 *
 * @throws ApplicationFailure with one of the types of `FailureType`; once the pieces had begun, its details list them
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
