import type { SourceInfo } from '../contracts/activities.ts';

export type { SourceInfo } from '../contracts/activities.ts';

/** The port behind which every kind of source looks alike. */
export interface SourceReader {
  /**
   * Size and fingerprint as they are now: asks the source each time, and never answers from what it saw before.
   *
   * @throws SourceChangedError when what is open is no longer what the source's name leads to
   */
  stat(): Promise<SourceInfo>;
  /**
   * Reads into `buffer` from `offsetBytes` on. May give fewer bytes than the buffer takes; 0 at the source's end.
   *
   * @throws SourceReadError when the storage is in trouble; the same read may work later
   */
  read(buffer: Uint8Array, offsetBytes: number): Promise<number>;
  /** May be called while a read is pending: the read ends first. */
  close(): Promise<void>;
}
