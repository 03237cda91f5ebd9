import { azureLimits, Limits } from '../contracts/limits.ts';
import type { ServiceStyle } from './style.ts';

export interface LocalApiOptions {
  /**
   * Directory for Uploads and Files; created if missing. Only one server at a time can use it. Only this user can read the data:
   * directories have mode 0700, files 0600.
   */
  readonly dataDir: string;
  /** 0: the system selects a port. @defaultValue 0 */
  readonly port?: number;
  /** Address to listen on. @defaultValue '127.0.0.1' */
  readonly host?: string;
  /** Names that the `Host` of a request can have, in addition to loopback names and `host`. @defaultValue none */
  readonly allowedHosts?: readonly string[];
  /**
   * Whether it responds like Azure OpenAI: its paths, `api-key` or an Entra token, errors and IDs, sessions of two hours,
   * and at most 9 GB in an Upload. @defaultValue false
   */
  readonly azure?: boolean | undefined;
  /** The only accepted key. @defaultValue none: any key that is not empty */
  readonly apiKey?: string | undefined;
  /** Lifetime of an Upload that is not completed, in seconds. @defaultValue 3600, for Azure 7200 */
  readonly sessionLifeSeconds?: number;
  /** Largest `bytes` of an Upload. @defaultValue 8 GiB, for Azure 9 GB */
  readonly maxFileBytes?: number;
  /** Largest part. @defaultValue 67,108,864 */
  readonly maxPartBytes?: number;
  /** One limit for all incoming part bodies. @defaultValue none */
  readonly bandwidthBytesPerSecond?: number | undefined;
  /** Delay of each response. @defaultValue 0 */
  readonly latencyMs?: number;
  /** Milliseconds until a new File appears in the list. @defaultValue 0 */
  readonly listLagMs?: number;
  /** Lists in which a new File is missing. @defaultValue 0 */
  readonly listLagRequests?: number;
  /**
   * Whether every part that was received counts, as on the strictest servers: a part that is sent again after its response
   * was lost exceeds the `bytes` of the Upload and is rejected, and the session is lost. If false, the parts of the
   * completion count. @defaultValue false
   */
  readonly strictSums?: boolean;
  /** Permitted values of `purpose`. @defaultValue those of the public specification: assistants, batch, fine-tune, vision */
  readonly purposes?: readonly string[];
  /** Receives one line for each request, without a line feed. @defaultValue nothing is logged */
  readonly log?: ((line: string) => void) | undefined;
}

export const LocalApiDefaults = {
  port: 0,
  host: '127.0.0.1',
  /** "An Upload … expires after an hour after you create it." */
  sessionLifeSeconds: 3600,
  maxFileBytes: Limits.maxFileBytes,
  maxPartBytes: Limits.maxPartSizeBytes,
  latencyMs: 0,
  listLagMs: 0,
  listLagRequests: 0,
  strictSums: false,
  purposes: ['assistants', 'batch', 'fine-tune', 'vision'],
} as const satisfies Partial<LocalApiOptions>;

/** For Azure: "9 GB", and two hours. */
export const AzureDefaults = {
  sessionLifeSeconds: azureLimits.sessionSeconds,
  maxFileBytes: azureLimits.maxFileBytes,
} as const satisfies Partial<LocalApiOptions>;

/** Options that can change while the server runs. */
export interface LocalApiSettings {
  /** Null: no limit. */
  readonly bandwidthBytesPerSecond: number | null;
  readonly latencyMs: number;
  /** For Files that are completed after the change, like `listLagRequests`. */
  readonly listLagMs: number;
  readonly listLagRequests: number;
  /** For Uploads that are created after the change. */
  readonly sessionLifeSeconds: number;
}

/** Options that do not change. */
export interface ServerRules {
  readonly style: ServiceStyle;
  /** Accepted in `Host`, in addition to loopback names. */
  readonly hosts: readonly string[];
  readonly apiKey: string | undefined;
  readonly maxFileBytes: number;
  readonly maxPartBytes: number;
  readonly strictSums: boolean;
  readonly purposes: readonly string[];
}
