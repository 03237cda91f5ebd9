import type { FaultSpec } from '../../src/local-api/faults.ts';
import type { Scope } from '../support/chaos-proxy.ts';

/** After which a worker gives up a part's connection on which nothing moves. */
export const STALL_TIMEOUT_MS = 4000;

/** `replace` puts another file in its place, `rewrite` writes other bytes into the same one. */
export type Edit = 'append' | 'touch' | 'replace' | 'rewrite' | 'truncate';

/** Source of the bytes. An S3 object is in a real store on this machine. */
export const SOURCE_KINDS = ['file', 'http', 's3'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** Actions on a running upload. Each is reverted, except the end of a session and an edit. */
export type Deed =
  | { readonly kind: 'kill-worker'; readonly worker: number; readonly downMs: number }
  | { readonly kind: 'kill-all-workers'; readonly downMs: number }
  | { readonly kind: 'freeze-worker'; readonly worker: number; readonly forMs: number }
  | { readonly kind: 'stop-worker'; readonly worker: number; readonly downMs: number }
  | { readonly kind: 'kill-api'; readonly downMs: number }
  | { readonly kind: 'kill-temporal' }
  | { readonly kind: 'net-reset'; readonly scope: Scope }
  | { readonly kind: 'net-stall' | 'net-black-hole'; readonly scope: Scope; readonly forMs: number }
  | { readonly kind: 'net-throttle'; readonly scope: Scope; readonly bytesPerSecond: number; readonly forMs: number }
  | { readonly kind: 'net-refuse'; readonly forMs: number }
  | { readonly kind: 'api-fault'; readonly fault: FaultSpec }
  | { readonly kind: 'cancel-session' | 'expire-session' | 'cancel-upload' }
  | { readonly kind: 'edit-source'; readonly edit: Edit }
  /** Moved away and back, without a change. */
  | { readonly kind: 'hide-source'; readonly forMs: number }
  | { readonly kind: 'pause'; readonly parts: 'finish' | 'stop'; readonly forMs: number }
  | { readonly kind: 'retune'; readonly concurrency: number };

export type Moment =
  /** Number of parts with a response before it starts. */
  | { readonly parts: number }
  /** When the first request of that kind was seen. */
  | { readonly request: 'create' | 'complete' };

export interface PlannedDeed {
  readonly when: Moment;
  readonly deed: Deed;
}

/** Everything about one run, from its seed. */
export interface Plan {
  readonly seed: number;
  readonly source: SourceKind;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly concurrency: number;
  readonly md5: boolean;
  readonly maxSessions: number;
  readonly workers: number;
  /** Null: what the workers find best. */
  readonly slots: number | null;
  readonly api: {
    readonly bandwidthBytesPerSecond: number;
    readonly latencyMs: number;
    /** Bandwidth of each connection; null for no limit. */
    readonly lineBytesPerSecond: number | null;
    /** Counts parts twice that were sent twice. */
    readonly strictSums: boolean;
  };
  readonly deeds: readonly PlannedDeed[];
}

/** The row of an action in the table. */
export function rowOf(deed: Deed): string {
  if (deed.kind === 'api-fault') {
    const { route, kind, status } = deed.fault;
    return `api ${route} ${kind === 'status' ? status : kind}`;
  }
  if (deed.kind === 'edit-source') return `source ${deed.edit}`;
  if (deed.kind === 'pause') return `pause ${deed.parts}`;
  return 'scope' in deed ? `${deed.kind} ${deed.scope}` : deed.kind;
}
