/** Plain JSON, for the next execution. */
export interface CarriedSessions {
  readonly sessionsOpened: number;
  readonly sessionsExcused: number;
  readonly orphanedSessions: number;
  readonly md5WasWrong: boolean;
  readonly partWasRejected: boolean;
}

/** How many sessions an upload has had, and whether it may have another one. */
export class SessionBudget {
  readonly #most: () => number;
  #opened: number;
  #excused: number;
  #orphaned: number;
  #md5WasWrong: boolean;
  #partWasRejected: boolean;

  /** @param most sessions that the request permits */
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

  /** Sessions that may be open at the service without anybody knowing their ids. */
  get orphaned(): number {
    return this.#orphaned;
  }

  /** Sessions that may still be opened. */
  get left(): number {
    return this.#most() + this.#excused - this.#opened;
  }

  /** @param unanswered attempts that may have opened one each, and told nobody */
  open(unanswered = 0): void {
    this.#opened++;
    this.#orphaned += unanswered;
  }

  /** @param unanswered as `open`, of a create call that failed */
  orphan(unanswered: number): void {
    this.#orphaned += unanswered;
  }

  /** One was lost for a reason that no session can have: it does not count. */
  excuse(): void {
    this.#excused++;
  }

  /** Whether a wrong md5 is worth a session: which bytes differ can't be known, and a second time it is no accident. */
  forgiveWrongMd5(): boolean {
    const isFirst = !this.#md5WasWrong;
    this.#md5WasWrong = true;
    return isFirst;
  }

  /**
   * Whether the rejection of a session's first part is worth a session: another client may have cancelled this one. The
   * same rejection in the next session means the request itself.
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
