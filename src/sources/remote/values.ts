import type { Readable } from 'node:stream';
import { ConnectionError, SourceReadError, TimeoutError } from '../../errors.ts';

/** An ETag has fewer than 100 in practice. It is a part of the fingerprint, which is stored in the history. */
const MAX_VALIDATOR_LENGTH = 1024;

/** Parses a size, if JavaScript can represent it exactly. */
export function sizeOf(digits: string | undefined): number | undefined {
  if (digits === undefined || !/^\d{1,16}$/.test(digits)) return undefined;
  const size = Number(digits);
  return Number.isSafeInteger(size) ? size : undefined;
}

export interface ContentRange {
  readonly firstByte: number;
  readonly lastByte: number;
  /** Undefined if the server returns `*`. */
  readonly sizeBytes: number | undefined;
}

/** Parses a header `Content-Range`; undefined if it is missing or impossible. */
export function contentRangeOf(header: unknown): ContentRange | undefined {
  if (typeof header !== 'string') return undefined;
  const [, first, last, total] = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(header) ?? [];
  const [firstByte, lastByte] = [sizeOf(first), sizeOf(last)];
  const sizeBytes = total === '*' ? undefined : sizeOf(total);
  if (firstByte === undefined || lastByte === undefined || firstByte > lastByte) return undefined;
  if (total !== '*' && (sizeBytes === undefined || lastByte >= sizeBytes)) return undefined;
  return { firstByte, lastByte, sizeBytes };
}

/** An ETag that can be sent in a header and stored in a fingerprint; undefined for any other. */
export function etagOf(header: unknown): string | undefined {
  if (typeof header !== 'string' || header.length > MAX_VALIDATOR_LENGTH) return undefined;
  return /^[\x21-\x7e]+$/.test(header) ? header : undefined;
}

/** The same for a modification time. */
export function httpDateOf(header: unknown): string | undefined {
  if (typeof header !== 'string' || header.length > 64 || !/^[\x20-\x7e]+$/.test(header)) return undefined;
  return Number.isNaN(Date.parse(header)) ? undefined : header;
}

/** Discards the body of a response. */
export function discardBody(body: Readable): void {
  body.on('error', () => {}).destroy();
}

/** The error for a source that a proxy does not reach; undefined for any other error. */
export function networkProblem(error: unknown, name: string): SourceReadError | undefined {
  if (!(error instanceof ConnectionError || error instanceof TimeoutError)) return undefined;
  return new SourceReadError(`cannot read ${name}: ${error.message}`, { cause: error });
}
