import { openAiLimits as limits } from '../../src/contracts/limits.ts';
import { fullSync, fullUpload } from './full-request.ts';
import { MiB } from './system.ts';

/*
 * Requests of all workflows, and the results of their activities as a worker returns them.
 */

const upload = fullUpload({ source: { type: 'file', path: '/data/a.bin' }, purpose: 'assistants', concurrency: 4 });
const split = { ...upload, pieceSizeBytes: MiB };
const sync = fullSync({ source: { type: 'folder', path: '/data' }, purpose: 'assistants', delete: true });

export const requests = { uploadFile: upload, uploadSplitFile: split, syncSource: sync };
export type WorkflowType = keyof typeof requests;

/** What the activities of workers read of their inputs. */
export interface Input {
  readonly request?: typeof upload;
  readonly partNumber?: number;
  readonly bytes?: number;
  readonly phase?: string;
  readonly files?: readonly { readonly onlySettle?: true }[];
}

const seconds = () => Math.floor(Date.now() / 1000);
export const session = () => ({ uploadId: 'upload_1', createdAt: seconds(), expiresAt: seconds() + 3600 });
const planned = (path: string, sizeBytes: number) => ({
  path,
  filename: path,
  sizeBytes,
  fingerprint: 'f',
  version: '1',
  key: path.slice(0, 3),
});
const remembered = { path: 'known.bin', sizeBytes: 3, version: '1', fileId: 'file-2', md5: null, createdAt: 1 };
const expected = { filename: 'old.bin', bytes: 3, createdAt: 1 };
const source = { fingerprint: 'f', hasAttributes: true, limits };

/** The results of activities by their names. */
export const correct: Readonly<Record<string, (input: Input) => unknown>> = {
  inspectSource: ({ request }) => ({
    ...source,
    sizeBytes: request?.source.range?.sizeBytes ?? 3 * MiB,
    request: { ...upload, ...request, partSizeBytes: MiB },
  }),
  createUpload: () => ({ ...session(), unanswered: 0 }),
  uploadPart: ({ partNumber }) => ({ partId: `part_${partNumber}`, attempt: 1 }),
  hashSource: () => ({ md5: '0'.repeat(32) }),
  completeUpload: ({ bytes = 3 * MiB }) => ({
    id: 'file-1',
    bytes,
    createdAt: seconds(),
    filename: 'a.bin',
    purpose: 'assistants',
    status: 'processed',
  }),
  cancelUpload: () => null,
  planSplit: () => ({
    ...source,
    sizeBytes: 2 * MiB,
    request: split,
    pieces: [0, MiB].map((offsetBytes) => ({ offsetBytes, sizeBytes: MiB })),
  }),
  recallSync: () => null,
  planSync: ({ phase = 'uploads', request }) => ({
    type: 'batch',
    totals: {
      listed: { files: 4, bytes: 4 * MiB },
      same: 0,
      knownContent: 0,
      toSend: { files: 3, bytes: 3 * MiB },
      problems: [],
      leftOut: [],
      problemCount: 0,
      leftOutCount: 0,
    },
    uploads: phase === 'uploads' ? [planned('a.bin', 10), planned('b.bin', 20), planned('big.bin', 2 * MiB)] : [],
    recognised: [remembered],
    deletions: phase === 'deletions' ? [{ path: 'old.bin', fileId: 'file-9', expected }] : [],
    hasDeletions: phase === 'deletions',
    deletionCount: 1,
    deletionsHeld: null,
    decisions: [],
    decisionsOmitted: 0,
    forget: [],
    next: null,
    ...(request ? { admitted: { hasAttributes: true, limits, request: sync } } : {}),
  }),
  openBatch: ({ files = [1, 2] }) => ({ outcomes: files.map(() => ({ session: session() })), pauseMs: 0 }),
  sendBatch: ({ files = [{}, {}] }) => ({
    outcomes: files.map(({ onlySettle }) =>
      onlySettle
        ? { failure: { type: 'SessionLost', message: 'cancelled' } }
        : { sent: { fileId: 'file-3', createdAt: seconds(), md5: null } },
    ),
    pauseMs: 0,
  }),
  packSyncMemory: () => ({ format: 'gzip-rows-1', entries: 1, dropped: 0, data: 'AAAA' }),
  deleteFile: () => null,
};
