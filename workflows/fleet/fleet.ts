import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import type { Control } from '../shell/define-workflow.ts';
import { reportSignal, type Report } from '../shell/parent-reports.ts';

/** One or more planned uploads that run together: a child workflow, or a batch of small files. */
export interface Load {
  /** About the bytes of its largest command. */
  readonly commandBytes: number;
  /** How much of the window it uses. @defaultValue 1 */
  readonly units?: number;
  /** Of a child workflow, which reports under it. */
  readonly workflowId?: string;
  /** Of files that are being sent, or will be without an action of an operator. */
  readonly paths: readonly string[];
  /** Undefined if anything of it goes on without an operator. */
  readonly waiting: WaitingInfo | undefined;
  /** Ends when all of it has a result. It handles its own failure. */
  run(): Promise<void>;
  /** Resolves when the control is in effect. Rejects only if it never will be. */
  apply(control: Control): Promise<void>;
  reported?(report: Report): void;
}

export interface FleetOptions {
  /** Units that run at the same time. */
  readonly maxRunning: () => number;
  readonly isPaused: () => boolean;
  /** Called after each start, end and report of a load. */
  readonly onChange: () => void;
}

/** Runs planned uploads, some at a time, and passes controls to those that run. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #running = new Set<Load>();

  constructor(options: FleetOptions) {
    this.#options = options;
    setHandler(reportSignal, (workflowId, report) => {
      const load = [...this.#running].find((one) => one.workflowId !== undefined && one.workflowId === workflowId);
      // Any client can send a signal.
      if (typeof report !== 'object' || report === null) return;
      load?.reported?.(report);
      options.onChange();
    });
  }

  get isEmpty(): boolean {
    return this.#running.size === 0;
  }

  get paths(): string[] {
    return [...this.#running].flatMap(({ paths }) => paths);
  }

  /** What one of them waits for, if all that run wait. */
  get waiting(): WaitingInfo | undefined {
    const all = [...this.#running].map(({ waiting }) => waiting);
    return all.every((one) => one !== undefined) ? all[0] : undefined;
  }

  /** Starts the loads as the window permits. @returns false if `until` was true before the last one */
  async send(loads: Iterable<Load>, until: () => boolean): Promise<boolean> {
    for (const load of loads) {
      await condition(() => until() || (!this.#options.isPaused() && this.#hasRoom(load)));
      if (until()) return false;
      this.#start(load);
    }
    return true;
  }

  /** Resolves when the control is in effect in all loads that run. Those that start from now on follow it. */
  async apply(control: Control): Promise<void> {
    // The end of a load is an effect, too.
    const effects = [...this.#running].map(async (load) => {
      let isDone = false;
      void load
        .apply(control)
        .catch(() => {})
        .then(() => (isDone = true));
      await condition(() => isDone || !this.#running.has(load));
    });
    await Promise.all(effects);
  }

  /** Waits for all that run, also if the workflow is cancelled, which reaches them on its own. */
  async drain(): Promise<void> {
    if (!this.isEmpty) await CancellationScope.nonCancellable(() => condition(() => this.isEmpty));
  }

  /** The commands of all that run fit into one message to Temporal. */
  #hasRoom({ commandBytes, units = 1 }: Load): boolean {
    if (this.isEmpty) return true;
    const running = [...this.#running];
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
    const used = sum(running.map((load) => load.units ?? 1));
    const bytes = sum(running.map((load) => load.commandBytes));
    return used + units <= this.#options.maxRunning() && bytes + commandBytes <= PayloadLimits.inFlight;
  }

  #start(load: Load): void {
    this.#running.add(load);
    this.#options.onChange();
    void load
      .run()
      .catch(() => {})
      .finally(() => {
        this.#running.delete(load);
        this.#options.onChange();
      });
  }
}
