const MiB = 1024 * 1024;

/**
 * "A Part can be at most 64 MB", "an Upload can accept at most 8 GB in total" (OpenAI's API reference). The reference does
 * not define the units. Every observed server accepts 64 MiB parts and 8 GiB Uploads.
 */
export const Limits = {
  maxFileBytes: 8 * 1024 * MiB,
  minPartSizeBytes: 1 * MiB,
  maxPartSizeBytes: 64 * MiB,
  /** Maximum of a setting for any destination. The limits of the destination decide in the first activity. */
  settableFileBytes: 512 * 1024 * MiB,
  settablePartSizeBytes: 1024 * MiB,
  /** Parts of one Upload, whose IDs fit into one payload. */
  maxParts: 10_000,
  maxConcurrency: 256,
  /** Maximum number of pieces: 8 TB, more than the 2.5 TB of a project, with a short history. */
  maxPieces: 1000,
  /** Temporal's limits of `Priority`. */
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
  /** Maximum lines of one File. @defaultValue any number */
  readonly maxLines?: number;
  /** Endings, one of which the name of a File must have. @defaultValue any name */
  readonly extensions?: readonly string[];
}

/** "An Upload expires one hour after it is created" (specification). The number of parts follows from the sizes. */
export const openAiLimits: DestinationLimits = {
  maxFileBytes: Limits.maxFileBytes,
  minPartSizeBytes: Limits.minPartSizeBytes,
  maxPartSizeBytes: Limits.maxPartSizeBytes,
  maxParts: Limits.maxFileBytes / Limits.minPartSizeBytes,
  sessionSeconds: 3600,
};

/** Limits of a purpose, which are stricter than those of the service. */
export type PurposeLimits = Partial<Pick<DestinationLimits, 'maxFileBytes' | 'maxLines' | 'extensions'>>;

/**
 * Limits by purpose, from the guides of OpenAI and Azure: "the input file must be a .jsonl file of up to 200 MB with up to
 * 50,000 requests" (batch), and ".jsonl" (fine-tune). A document that states "MB" means decimal units.
 */
export const purposeLimits: Readonly<Record<string, PurposeLimits>> = {
  batch: { maxFileBytes: 200_000_000, maxLines: 50_000, extensions: ['.jsonl'] },
  'fine-tune': { extensions: ['.jsonl'] },
};

/** "The maximum size is 9 GB", "the session expires in two hours" (Azure's reference). Decimal, the smaller interpretation. */
export const azureLimits: DestinationLimits = {
  ...openAiLimits,
  maxFileBytes: 9_000_000_000,
  sessionSeconds: 7200,
};

/**
 * Maximum bytes of the texts of a request, in UTF-8. Temporal limits the sizes of names (1,000 bytes), messages and inputs
 * of activities, which contain them.
 */
export const TextLimits = {
  name: 255,
  path: 4096,
  /** Limit of S3: "the name … can be up to 1,024 bytes". Also for a path in a sync, which becomes the name of a File. */
  objectKey: 1024,
  filename: 1024,
  url: 8192,
  sealedQuery: 16_384,
  fingerprint: 2048,
  globs: 65_536,
  workflowId: 1000,
  /** For a workflow with children, whose IDs start with its ID. */
  parentWorkflowId: 900,
  taskQueue: 1000,
} as const;

/**
 * Maximum sizes of data in Temporal, in bytes of JSON in UTF-8. The server rejects payloads of more than 2 MiB
 * (`limit.blobSize.error`), all arguments of a call together, and messages of more than 4 MiB. The limits of the parts
 * of one payload add up to less than `payload`. docs/reliability.md has the table of all structures.
 */
export const PayloadLimits = {
  payload: 2_000_000,
  /** Of a request, with its globs. */
  request: 262_144,
  /** Memory, as Base64, so that characters are bytes. */
  memory: 900_000,
  /** Decisions of a dry run. */
  decisions: 600_000,
  /** Each list of problems, of omitted and of postponed entries. */
  report: 100_000,
  /** Uploads, recognised files or deletions of one batch. */
  batch: 400_000,
  /** Paths that a run removes from the memory without a deletion. */
  forgotten: 200_000,
  /** Planned uploads of a sync, as Base64. Lists that are created again are compared with them. */
  planned: 200_000,
  /** IDs of all parts of an Upload. */
  partIds: 1_500_000,
  /** Files and receipts of a split upload. */
  pieces: 1_900_000,
  /** Commands that a workflow has in flight. One task can start all of them, and one more of `payload` bytes. */
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
  /** Maximum size of a file that a sync sends in a batch, without a separate workflow. */
  smallFileBytes: 1 * MiB,
  /** Maximum size of a one-part file whose MD5 is computed while the part is sent, which uses fewer events. */
  onePartBytes: 8 * MiB,
  maxSessions: 3,
  giveUpAfterMs: 24 * 3_600_000,
  minAutoPartSizeBytes: 8 * MiB,
  /** Target number of parts of the automatic part size. */
  autoParts: 128,
  heartbeatTimeoutMs: 10_000,
  mimeType: 'application/octet-stream',
} as const;

/** Purposes of `POST /uploads` in the API's specification, and the additional purposes of `/files`. */
export const KnownPurposes = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const;
