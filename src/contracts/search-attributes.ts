/**
 * Search attributes of uploads, split uploads and syncs, if they are registered. `longhaul setup` registers them. A
 * namespace on SQL supports 10 of type Keyword and 3 of each other type, so there are few of each type.
 */
export const SearchAttributes = {
  /** An `UploadState` or `SyncState`. */
  state: { name: 'LonghaulState', type: 'KEYWORD' },
  /** `FailureType` of the error for which it waits or has failed, with the status of a rejection: `ApiRejected 403`. */
  reason: { name: 'LonghaulReason', type: 'KEYWORD' },
  destination: { name: 'LonghaulDestination', type: 'KEYWORD' },
  purpose: { name: 'LonghaulPurpose', type: 'KEYWORD' },
  filename: { name: 'LonghaulFilename', type: 'KEYWORD' },
  /** ID of the File, when it exists. */
  fileId: { name: 'LonghaulFileId', type: 'KEYWORD' },
  bytes: { name: 'LonghaulBytes', type: 'INT' },
  bytesDone: { name: 'LonghaulBytesDone', type: 'INT' },
  /** 0 to 100. */
  percent: { name: 'LonghaulPercent', type: 'DOUBLE' },
  /** Whether, at the current rate, the session expires before the file is complete. */
  endsTooEarly: { name: 'LonghaulEndsTooEarly', type: 'BOOL' },
} as const;

/** Maximum length of a Keyword on SQL. With a longer value on PostgreSQL, the workflow is missing in every list. */
export const MAX_KEYWORD_LENGTH = 255;
