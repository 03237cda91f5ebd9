import type { SourceReader } from '../sources/source-reader.ts';
import type { AroundCall } from './http/http.ts';
import type { Pace } from './http/multipart-part.ts';

/** The windows and rates that each call to a destination must pass first. The wait is not part of the time of the call. */
export interface Gate {
  /** Resolves when the window has a place for a part. @throws AbortedError if the signal is aborted first */
  enterPart(signal?: AbortSignal): Promise<PartWatch>;
  /** Resolves when the rate permits a request to `/files`. @throws AbortedError if the signal is aborted first */
  enterRequest(signal?: AbortSignal): Promise<void>;
  /** Resolves when the bytes of a part can be sent; undefined: immediately. */
  readonly bytes: Pace;
}

/** Receives the progress of one part. */
export interface PartListener {
  /** @param totalBytes bytes of the part that the socket has accepted. 0 when it starts, and when it starts again with another key */
  readonly moved: (totalBytes: number) => void;
  /** The service accepted the part. @param waitMs time from the last byte to the response */
  readonly responded?: (waitMs: number) => void;
  /** The source was read. */
  readonly read?: (bytes: number, durationMs: number) => void;
}

export interface PartWatch extends PartListener {
  /** Called once. @param error undefined if the part was accepted */
  readonly finished: (error?: unknown) => void;
}

/** Receives the calls to one destination. */
export interface CallWatch {
  /** Runs each call that has a JSON response. */
  readonly around?: AroundCall | undefined;
  /** A session was opened. */
  readonly opened?: (() => void) | undefined;
}

/** A range of a source. */
export interface Part {
  readonly reader: SourceReader;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** The rate of its upload, in addition to that of the gate. */
  readonly pace?: Pace | undefined;
  readonly listeners?: readonly (PartListener | undefined)[] | undefined;
}
