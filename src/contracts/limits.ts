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
} as const;

/** What a service accepts for Files of one purpose. */
export interface DestinationLimits {
  readonly maxFileBytes: number;
  /** Of each part but the last one. */
  readonly minPartSizeBytes: number;
  readonly maxPartSizeBytes: number;
  /** Of one File. */
  readonly maxParts: number;
  /** Lifetime of a session, if the response does not contain it. */
  readonly sessionSeconds: number;
}

/** "An Upload expires one hour after it is created" (specification). The number of parts follows from the sizes. */
export const openAiLimits: DestinationLimits = {
  maxFileBytes: Limits.maxFileBytes,
  minPartSizeBytes: Limits.minPartSizeBytes,
  maxPartSizeBytes: Limits.maxPartSizeBytes,
  maxParts: Limits.maxFileBytes / Limits.minPartSizeBytes,
  sessionSeconds: 3600,
};

/**
 * Most bytes of the texts of a request, in UTF-8. They stand in names, messages and inputs of activities, whose sizes
 * Temporal limits (names: 1,000 bytes).
 */
export const TextLimits = {
  name: 255,
  path: 4096,
  /** Of S3: "the name … can be up to 1,024 bytes". A path in a sync can be as long, and becomes the name of a File. */
  objectKey: 1024,
  filename: 1024,
  url: 8192,
  sealedQuery: 16_384,
  fingerprint: 2048,
  globs: 65_536,
  /** Of a workflow that starts children, whose IDs begin with its own. */
  parentWorkflowId: 900,
  taskQueue: 1000,
} as const;

/**
 * Maximum sizes of what crosses Temporal, in bytes of JSON in UTF-8. The server rejects payloads of more than 2 MiB
 * (`limit.blobSize.error`), all arguments of a call together, and messages of more than 4 MiB. The limits of the parts
 * of one payload add up to less than `payload`. docs/reliability.md has the table of all structures.
 */
export const PayloadLimits = {
  payload: 2_000_000,
  /** Of a request, with its globs. */
  request: 262_144,
  /** Of a memory: Base64, so that characters are bytes. */
  memory: 900_000,
  /** Decisions of a dry run. */
  decisions: 600_000,
  /** Each list of problems, of omitted and of postponed entries. */
  report: 100_000,
  /** Uploads, recognised files or deletions of one batch. */
  batch: 400_000,
  /** Paths that a run removes from the memory without a deletion. */
  forgotten: 200_000,
  /** Uploads that a sync has planned: Base64 of what lists that are made again are compared with. */
  planned: 200_000,
  /** IDs of all parts of an Upload. */
  partIds: 1_500_000,
  /** Files and receipts of a split upload. */
  pieces: 1_900_000,
  /** Commands that a workflow has in flight. One task can start all of them, and one of `payload` bytes besides. */
  inFlight: 1_500_000,
} as const;

/** Maximum of a batch of small files. A batch completes well within the hour of its sessions. */
export const BatchLimits = {
  files: 50,
  sizeBytes: 32 * MiB,
  /** Files of a batch that are sent at the same time. */
  concurrency: 8,
  /** Of the input of `sendBatch`, as JSON. */
  inputBytes: 300_000,
} as const;

/** Names for the priorities of uploads. Temporal's own default is `normal`. */
export const Priorities = { interactive: 2, normal: 3, bulk: 4 } as const;

export const Defaults = {
  destination: 'default',
  concurrency: 16,
  maxConcurrentUploads: 8,
  /** Maximum size of a file that a sync sends without a separate workflow. */
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
