/** Plain JSON, for the next execution. */
export interface CarriedSessions {
  readonly sessionsOpened: number;
  readonly sessionsExcused: number;
  readonly orphanedSessions: number;
  readonly md5WasWrong: boolean;
  readonly partWasRejected: boolean;
}

/** Counts the sessions of an upload, and decides whether it can have another one. */
export class SessionBudget {
  readonly #most: () => number;
  #opened: number;
  #excused: number;
  #orphaned: number;
  #md5WasWrong: boolean;
  #partWasRejected: boolean;

  /** @param most maximum number of sessions of the request */
  constructor(most: () => number, carried?: CarriedSessions) {
    this.#most = most;
    this.#opened = carried?.sessionsOpened ?? 0;
    this.#excused = carried?.sessionsExcused ?? 0;
    this.#orphaned = carried?.orphanedSessions ?? 0;
    this.#md5WasWrong = carried?.md5WasWrong ?? false;
    this.#partWasRejected = carried?.partWasRejected ?? false;
  }

  get opened(): number {
    return this.#opened;
  }

  /** Sessions that can be open at the service with an unknown ID. */
  get orphaned(): number {
    return this.#orphaned;
  }

  /** Sessions that can still be opened. */
  get left(): number {
    return this.#most() + this.#excused - this.#opened;
  }

  /** @param unanswered attempts that can have opened a session each, without a response */
  open(unanswered = 0): void {
    this.#opened++;
    this.#orphaned += unanswered;
  }

  /** @param unanswered as `open`, of a create call that failed */
  orphan(unanswered: number): void {
    this.#orphaned += unanswered;
  }

  /** A session was lost for a reason that is not its own. It does not count. */
  excuse(): void {
    this.#excused++;
  }

  /** Whether a different MD5 justifies a new session: the differing bytes are unknown, and a second failure is not an accident. */
  forgiveWrongMd5(): boolean {
    const isFirst = !this.#md5WasWrong;
    this.#md5WasWrong = true;
    return isFirst;
  }

  /**
   * Whether the rejection of a session's first part justifies a new session, because another client can have cancelled this
   * one. The same rejection in the next session applies to the request itself.
   */
  forgiveRejectedPart(): boolean {
    const isFirst = !this.#partWasRejected;
    this.#partWasRejected = true;
    return isFirst;
  }

  toJSON(): CarriedSessions {
    return {
      sessionsOpened: this.#opened,
      sessionsExcused: this.#excused,
      orphanedSessions: this.#orphaned,
      md5WasWrong: this.#md5WasWrong,
      partWasRejected: this.#partWasRejected,
    };
  }
}
