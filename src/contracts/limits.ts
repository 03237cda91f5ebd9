const MiB = 1024 * 1024;

/**
 * "A Part can be at most 64 MB", "an Upload can accept at most 8 GB in total" (OpenAI's API reference). The units are
 * not said; every server seen takes 64 MiB parts and 8 GiB Uploads.
 */
export const Limits = {
  maxFileBytes: 8 * 1024 * MiB,
  minPartSizeBytes: 1 * MiB,
  maxPartSizeBytes: 64 * MiB,
  maxConcurrency: 256,
  maxConcurrentUploads: 200,
} as const;

export const Defaults = {
  destination: 'default',
  concurrency: 16,
  maxConcurrentUploads: 8,
  maxSessions: 3,
  giveUpAfterMs: 24 * 3_600_000,
  minAutoPartSizeBytes: 8 * MiB,
  /** An automatic part size aims at this many parts. */
  autoParts: 128,
  heartbeatTimeoutMs: 10_000,
  mimeType: 'application/octet-stream',
} as const;

/** Purposes of `POST /uploads` in the API's specification, and those that `/files` knows beside them. */
export const KnownPurposes = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const;
