import type { VirtualClock } from './clock.ts';

export interface Violation {
  readonly rule: string;
  readonly text: string;
}

/** What happened in a simulation, line by line, and the rules that were broken. */
export class Trace {
  readonly lines: string[] = [];
  readonly violations: Violation[] = [];
  readonly #clock: VirtualClock;
  readonly #startMs: number;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.#startMs = clock.nowMs;
  }

  note(line: string): void {
    const seconds = (this.#clock.nowMs - this.#startMs) / 1000;
    this.lines.push(`${seconds.toFixed(3).padStart(10)} s  ${line}`);
  }

  /** Records the first violation of each rule. */
  violate(rule: string, text: string): void {
    this.note(`VIOLATION of "${rule}": ${text}`);
    if (!this.violations.some((violation) => violation.rule === rule)) this.violations.push({ rule, text });
  }
}
