import type { SplitUploadRequest } from '../../src/contracts/split.ts';
import type { SyncRequest } from '../../src/contracts/sync.ts';
import { payloadOf } from './payloads.ts';
import type { Plan } from './plan.ts';

export const WORKFLOW_ID = 'upload';
export const NAME = 'train.jsonl';
export const PATH = `/data/${NAME}`;

const MANIFEST: SyncRequest['manifest'] = { type: 's3', bucket: 'state', key: 'sync.jsonl' };

/** The start of the upload, split upload or sync of a plan. */
export function startOfRun({ request: settings, sizeBytes, pieces, folder }: Plan) {
  const purpose = 'assistants';
  if (folder) {
    const { maxConcurrentUploads, deletes, hasManifest } = folder;
    const source = { type: 's3', bucket: 'data' } as const;
    const request: SyncRequest = { source, purpose, delete: deletes, maxConcurrentUploads, upload: settings };
    const input = [payloadOf(hasManifest ? { ...request, manifest: MANIFEST } : request)];
    return { workflowType: 'syncSource', workflowId: WORKFLOW_ID, input };
  }
  const request: SplitUploadRequest = {
    source: { type: 'file', path: PATH },
    purpose,
    ...settings,
    ...(pieces ? { pieceSizeBytes: Math.ceil(sizeBytes / pieces) } : {}),
  };
  const workflowType = pieces ? 'uploadSplitFile' : 'uploadFile';
  return { workflowType, workflowId: WORKFLOW_ID, input: [payloadOf(request)] };
}
