import type { CallOptions } from './call-limits.ts';

/** One request, sent once. */
export interface HttpCall extends CallOptions {
  /** For messages: `adding a part to upload_1`. */
  readonly action: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Under the base URL, with each segment encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly contentType?: string;
  /** Only needed for a body that is streamed. */
  readonly contentLength?: number;
  readonly body?: string | AsyncIterable<Uint8Array>;
  /** Maximum time without traffic. It restarts with each chunk of the body that the socket accepts. */
  readonly stallTimeoutMs?: number;
  /** @defaultValue 1 MiB */
  readonly maxAnswerBytes?: number;
  /** Whether a success without a JSON body, such as a 204, is accepted: the schema then parses undefined. @defaultValue false */
  readonly acceptsAnyBody?: boolean;
}

/** Facts of a call before it is sent. The path is the whole path, without the query. */
export interface CallFacts extends Pick<HttpCall, 'action' | 'method' | 'path'> {
  /** HOST:PORT */
  readonly host: string;
}

/** Runs each call that has a JSON response. @param send sends it once, with additional headers */
export type AroundCall = <T>(
  facts: CallFacts,
  send: (headers: Readonly<Record<string, string>>) => Promise<T>,
) => Promise<T>;
