/**
 * Search attributes that uploads, split uploads and syncs carry where the cluster knows them. `longhaul setup` registers
 * them. A namespace on SQL takes 10 of Keyword and 3 of each other type, so each type is used sparingly.
 */
export const SearchAttributes = {
  /** An `UploadState`; of a sync its `SyncState`. */
  state: { name: 'LonghaulState', type: 'KEYWORD' },
  /** `FailureType` of what it waits for or has failed with, and the status of a refusal: `ApiRejected 403`. */
  reason: { name: 'LonghaulReason', type: 'KEYWORD' },
  destination: { name: 'LonghaulDestination', type: 'KEYWORD' },
  purpose: { name: 'LonghaulPurpose', type: 'KEYWORD' },
  filename: { name: 'LonghaulFilename', type: 'KEYWORD' },
  /** Id of the File, once it is there. */
  fileId: { name: 'LonghaulFileId', type: 'KEYWORD' },
  bytes: { name: 'LonghaulBytes', type: 'INT' },
  bytesDone: { name: 'LonghaulBytesDone', type: 'INT' },
  /** 0 to 100. */
  percent: { name: 'LonghaulPercent', type: 'DOUBLE' },
  /** At the pace so far the session ends before the file is through. */
  endsTooEarly: { name: 'LonghaulEndsTooEarly', type: 'BOOL' },
} as const;

/** SQL keeps no more of a Keyword; a longer value makes the workflow vanish from every list on PostgreSQL. */
export const MAX_KEYWORD_LENGTH = 255;
