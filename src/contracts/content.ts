/** Checks of the content of a File. `auto` depends on the purpose. */
export const ContentChecks = ['auto', 'jsonl', 'batch', 'chat', 'off'] as const;
export type ContentCheck = (typeof ContentChecks)[number];

/** A check that reads the lines of a source. */
export type LineCheck = Exclude<ContentCheck, 'auto' | 'off'>;

/** The problem of a line, without any of its content. */
export interface LineProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly reason: string;
}

/** Result of a check. */
export interface ContentReport {
  readonly check: LineCheck;
  /** Lines that were checked. */
  readonly lines: number;
  /** Invalid lines among them. */
  readonly invalid: number;
  /** The first 20 of them. */
  readonly problems: readonly LineProblem[];
  /** Findings that do not make the content invalid. */
  readonly warnings: readonly string[];
}

/** Plain data in the details of the failure `ContentInvalid`. */
export interface ContentProblems {
  /** Invalid lines that were found before the check ended. */
  readonly invalid: number;
  /** The first 20 of them. */
  readonly problems: readonly LineProblem[];
}

/** A partial digest: its position and its state, from which any worker can resume. */
export interface HashCheckpoint {
  readonly offsetBytes: number;
  /** Base64 of the state of the digest and of an incomplete block. */
  readonly state: string;
  /** State of the check of the content, which has no content. */
  readonly check?: string;
  /** As in `SourceReader.identity`: if the source has another identity, the digest starts again. */
  readonly identity?: string;
}
