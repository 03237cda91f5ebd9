import type { DestinationLimits } from '../../src/contracts/limits.ts';
import type { UploadRequest } from '../../src/contracts/upload.ts';
import type { PauseInput, RetuneInput } from '../../src/contracts/names.ts';
import type { FolderEdit } from './source.ts';
import type { ServiceStyle } from './service.ts';

/** Calls to the service, to the source and to the manifest that a fault can hit. */
export type Call =
  | 'createUpload'
  | 'addPart'
  | 'completeUpload'
  | 'cancelUpload'
  | 'listFiles'
  | 'retrieveFile'
  | 'deleteFile'
  | 'inspectSource'
  | 'hashSource'
  | 'listSource'
  | 'manifest';

export type Fault =
  /** The service returns an error. `arrives`: after it has done the work. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfterMs?: number;
      readonly apiCode?: string;
      readonly arrives?: boolean;
    }
  /** The work is done, and the response is lost. */
  | { readonly kind: 'lost' }
  /** No connection. */
  | { readonly kind: 'unreachable' }
  /** No response until the timeout. */
  | { readonly kind: 'silent'; readonly arrives: boolean }
  /** A success whose body is not of the API. */
  | { readonly kind: 'strange'; readonly arrives: boolean }
  | { readonly kind: 'slow'; readonly ms: number }
  /** The bytes of a part change on their way. */
  | { readonly kind: 'damaged' }
  /** The session ends just before the call. */
  | { readonly kind: 'session-ends'; readonly status: 'cancelled' | 'expired' };

export interface PlannedFault {
  readonly call: Call;
  /** Counted from 1, over the whole simulation. */
  readonly nth: number;
  readonly fault: Fault;
}

/** Every call of a kind fails for some time. `*`: every call to the service and to the source. */
export interface Outage {
  readonly call: Call | '*';
  readonly fromMs: number;
  readonly forMs: number;
  readonly fault: Fault;
}

export type Action =
  | { readonly kind: 'pause'; readonly parts: NonNullable<PauseInput['parts']> }
  | { readonly kind: 'resume' }
  | { readonly kind: 'retry' }
  | { readonly kind: 'retune'; readonly input: RetuneInput }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'edit-source'; readonly sizeBytes?: number }
  | ({ readonly kind: 'edit-folder' } & FolderEdit)
  | { readonly kind: 'hide-source'; readonly problem: 'missing' | 'unreadable'; readonly forMs: number }
  | { readonly kind: 'kill-worker'; readonly worker: number }
  | { readonly kind: 'stop-worker'; readonly worker: number };

/** How another client of Temporal ends an activity of a running workflow. */
export interface ForgedEnd {
  readonly activity: string;
  /** Counted from 1, over the whole simulation. */
  readonly nth: number;
  /** Before its first attempt starts, while an attempt runs, which continues, or in place of the first result. */
  readonly moment: 'queued' | 'running' | 'instead';
  /**
   * A result: of any type, of another activity, the correct one with mutations, a payload that is not JSON, or none.
   * Otherwise a failure, a timeout after a heartbeat of that client, or a cancellation that the workflow did not request.
   */
  readonly end: 'strange' | 'other' | 'mutated' | 'unreadable' | 'none' | 'failure' | 'timeout' | 'cancelled';
  /** Of its values. */
  readonly seed: number;
  /** Replaces properties of the correct result, or of a failure or timeout. @defaultValue all are drawn */
  readonly change?: object;
}

/**
 * A time after the start, or the start of a call. A piece starts when its parent decides so, and ends with its workflow.
 * A forged end is at the time of its report.
 */
export type When =
  | { readonly atMs: number }
  | { readonly call: Call | 'startPiece' | 'endPiece' | 'forgedEnd'; readonly nth: number; readonly plusMs: number };

export interface PlannedAction {
  readonly when: When;
  readonly action: Action;
  /** On the piece of a split upload, or the large file of a sync, that is sent then. @defaultValue on the whole */
  readonly isOnPiece?: boolean;
}

/** The folder of a sync. */
export interface PlannedFolder {
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
  readonly deletes: boolean;
  readonly maxConcurrentUploads: number;
  /** Most uploads of one batch of the lists. */
  readonly batchFiles: number;
  /** Whether the memory of the sync is in a manifest. @defaultValue false: it is in Temporal */
  readonly hasManifest?: boolean;
  /** Names of contents that the check rejects. @defaultValue none */
  readonly invalidContents?: readonly string[];
  /** Number of runs of the sync. @defaultValue 2, or 3 with some seeds */
  readonly runs?: number;
}

/** Everything that happens in one simulation. The same plan always has the same trace. */
export interface Plan {
  readonly seed: number;
  readonly request: Omit<UploadRequest, 'source' | 'purpose'>;
  readonly sizeBytes: number;
  /** Whether the check of the content, if the request has one, rejects the source. @defaultValue false */
  readonly hasInvalidContent?: boolean;
  /** Of a split upload. @defaultValue it is not split */
  readonly pieces?: number;
  /** Of a sync, whose files are those of the folder. @defaultValue it is not a sync */
  readonly folder?: PlannedFolder;
  readonly style: ServiceStyle;
  /** As the destination states them, if they are not those of OpenAI. */
  readonly limits?: Partial<DestinationLimits>;
  /** Least and most milliseconds of a part, and of other calls. */
  readonly partMs: readonly [number, number];
  readonly callMs: readonly [number, number];
  readonly suggestAfterEvents: number;
  /** Whether the namespace has the search attributes. @defaultValue false */
  readonly hasAttributes?: boolean;
  /** How likely the workflow leaves the cache after an activation. */
  readonly evictChance: number;
  readonly faults: readonly PlannedFault[];
  readonly outages: readonly Outage[];
  readonly actions: readonly PlannedAction[];
  /** @defaultValue none */
  readonly forgedEnds?: readonly ForgedEnd[];
}

/** Valid content of a model. */
export const SHORTEST_LINE = '{}';

/** Whether the check of the content rejects bytes with this name. */
export function isInvalid({ request, hasInvalidContent, folder }: Plan, content: string, sizeBytes: number): boolean {
  if (!request.check) return false;
  if (!folder) return hasInvalidContent ?? false;
  return sizeBytes < SHORTEST_LINE.length || folder.invalidContents?.includes(content) === true;
}

const MiB = 1024 * 1024;

/** Of 12 parts of 1 MiB, with nothing that goes wrong. */
export const CALM: Plan = {
  seed: 1,
  request: { partSizeBytes: MiB, concurrency: 4 },
  sizeBytes: 12 * MiB,
  style: { isStrict: true, endedStatus: 400, checksMd5: true, listLagMs: 0, maxPartBytes: 0, sessionSeconds: 3600 },
  partMs: [200, 2000],
  callMs: [20, 200],
  suggestAfterEvents: 4000,
  evictChance: 0,
  faults: [],
  outages: [],
  actions: [],
};
