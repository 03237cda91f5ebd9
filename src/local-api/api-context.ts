import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bandwidth } from './bandwidth.ts';
import type { BatchStore } from './batches/batch-store.ts';
import type { ListLag } from './list-lag.ts';
import type { LocalApiSettings, ServerRules } from './options.ts';
import type { StatsRecorder } from './stats.ts';
import type { UploadStore } from './upload-store.ts';

/** State that the handlers share. */
export interface ApiContext {
  readonly store: UploadStore;
  readonly batches: BatchStore;
  readonly listLag: ListLag;
  readonly rules: ServerRules;
  readonly stats: StatsRecorder;
  readonly bandwidth: Bandwidth;
  /** Current settings. */
  settings(): LocalApiSettings;
  /** Aborted when the server ends. */
  readonly closing: AbortSignal;
}

export interface ApiRequest {
  readonly message: IncomingMessage;
  /** ID of the Upload, File or Batch in the path; empty for routes without one. */
  readonly id: string;
  readonly query: URLSearchParams;
}

/** The response of a handler: a JSON value, a text, or the output of `stream`. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly json?: unknown;
  readonly text?: string;
  readonly stream?: (response: ServerResponse) => Promise<void>;
}

export type Handler = (context: ApiContext, request: ApiRequest) => Promise<Reply>;
