import type { Forgery } from './activity-task.ts';
import { forgeryOf } from './forged-ends.ts';
import { readableJson } from './payloads.ts';
import type { Call, Fault, Plan } from './plan.ts';

/** Decides by the plan which calls of the service fail, and which activities another client of Temporal ends. */
export class PlannedFaults {
  readonly #plan: Plan;
  readonly #elapsedMs: () => number;
  readonly #calls = new Map<Call, number>();
  /** Activities that were scheduled, by name. */
  readonly #scheduled = new Map<string, number>();
  /** Newest results of workers, by the name of the activity. */
  readonly #results = new Map<string, unknown>();
  #isCalm = false;

  /** @param elapsedMs time since the start of the simulation */
  constructor(plan: Plan, elapsedMs: () => number) {
    this.#plan = plan;
    this.#elapsedMs = elapsedMs;
  }

  /** No call fails any longer. */
  calm(): void {
    this.#isCalm = true;
  }

  /** Counts a call. @returns its number among the calls of its kind */
  count(call: Call): number {
    const nth = (this.#calls.get(call) ?? 0) + 1;
    this.#calls.set(call, nth);
    return nth;
  }

  faultOf(call: Call, nth: number): Fault | undefined {
    if (this.#isCalm) return undefined;
    const planned = this.#plan.faults.find((fault) => fault.call === call && fault.nth === nth);
    const sinceMs = this.#elapsedMs();
    const isNow = ({ fromMs, forMs }: { fromMs: number; forMs: number }) =>
      sinceMs >= fromMs && sinceMs < fromMs + forMs;
    const isAbout = (one: Call | '*') => one === call || (one === '*' && call !== 'manifest');
    const outage = this.#plan.outages.find((one) => isAbout(one.call) && isNow(one));
    return planned?.fault ?? outage?.fault;
  }

  /** Records the result of a worker, which another client can return for another activity. */
  record(type: string, result: unknown): void {
    this.#results.set(type, result);
  }

  /** @param onForged receives what the other client sends, as JSON, and when */
  forgeryOf(type: string, onForged: (text: string, moment: string) => void): Forgery | undefined {
    if (!this.#plan.forgedEnds) return undefined;
    const nth = (this.#scheduled.get(type) ?? 0) + 1;
    this.#scheduled.set(type, nth);
    const planned = this.#plan.forgedEnds.find((one) => one.activity === type && one.nth === nth);
    if (!planned) return undefined;
    const others = () => [...this.#results].flatMap(([name, result]) => (name === type ? [] : [result]));
    return forgeryOf(planned, others, (forged) => onForged(readableJson(forged), planned.moment));
  }
}
