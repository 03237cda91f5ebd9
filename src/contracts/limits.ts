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
  /** Of a split file: 8 TB, where a project holds 2.5, and a history that stays short. */
  maxPieces: 1000,
  /** Temporal's own limits of `Priority`. */
  lastPriority: 5,
  maxFairnessKeyBytes: 64,
  minFairnessWeight: 0.001,
  maxFairnessWeight: 1000,
  maxConcurrentUploads: 200,
  /** Of S3: 1,024 bytes. */
  maxKeyCharacters: 1024,
} as const;

/** Names for the priorities of uploads. Temporal's own default is `normal`. */
export const Priorities = { interactive: 2, normal: 3, bulk: 4 } as const;

export const Defaults = {
  destination: 'default',
  concurrency: 16,
  maxConcurrentUploads: 8,
  /** A sync sends files of this size at most without a workflow of their own. */
  smallFileBytes: 1 * MiB,
  /** A file of this size at most that is one part costs fewer events: its md5 is taken while the part is sent. */
  onePartBytes: 8 * MiB,
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
