import * as nexus from 'nexus-rpc';
import type { SplitUploadRequest, SplitUploadResult } from './split.ts';
import type { UploadRequest, UploadResult } from './upload.ts';

/** Options of a Nexus operation, in addition to the request. */
export interface NexusOptions {
  /**
   * Workflow ID of the upload, and its idempotency key: an operation with the ID of the same upload attaches to it if it is
   * running, and returns its result if it is completed. At most 900 bytes.
   *
   * @defaultValue an ID of this operation, so that each operation is a separate upload
   */
  readonly workflowId?: string | undefined;
}

/** Input of the Nexus operation `uploadFile`. */
export interface NexusUpload extends UploadRequest, NexusOptions {}

/** Input of the Nexus operation `uploadSplitFile`. */
export interface NexusSplitUpload extends SplitUploadRequest, NexusOptions {}

/**
 * The Nexus service of Longhaul's workers, for workflows in other namespaces. It can be imported in a workflow.
 *
 * @example
 * const longhaul = createNexusServiceClient({ endpoint: 'longhaul', service: longhaulService });
 * const { file } = await longhaul.executeOperation('uploadFile', { source, purpose: 'batch' });
 */
export const longhaulService = nexus.service('longhaul', {
  /** Uploads one file. Returns when its File exists. */
  uploadFile: nexus.operation<NexusUpload, UploadResult>(),
  /** Uploads one file of lines as several Files. Returns when they exist. */
  uploadSplitFile: nexus.operation<NexusSplitUpload, SplitUploadResult>(),
});
