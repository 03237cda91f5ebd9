import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import type { Control } from '../shell/define-workflow.ts';
import { reportSignal, type Report } from '../shell/parent-reports.ts';

/** One or more planned uploads that run together: a child workflow, or a batch of small files. */
export interface Load {
  /** Approximate bytes of its largest command. */
  readonly commandBytes: number;
  /** Share of the window that it uses. @defaultValue 1 */
  readonly units?: number;
  /** ID of the child workflow in its reports. */
  readonly workflowId?: string;
  /** Paths of files that are being sent, or will be sent without operator action. */
  readonly paths: readonly string[];
  /** Undefined if some of it continues without operator action. */
  readonly waiting: WaitingInfo | undefined;
  /** Resolves when all files have a result. Never rejects. */
  run(): Promise<void>;
  /** Resolves when the control is in effect. Rejects only if the control can never take effect. */
  apply(control: Control): Promise<void>;
  reported?(report: Report): void;
}

export interface FleetOptions {
  /** Maximum units that run at the same time. */
  readonly maxRunning: () => number;
  readonly isPaused: () => boolean;
  /** Called after each start, end and report of a load. */
  readonly onChange: () => void;
}

/** Runs planned uploads, a few at a time, and passes controls to the running uploads. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #running = new Set<Load>();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /**
   * Handles the reports of uploads. Called when `onChange` can be called, because a report can arrive before the first
   * task: that of an upload of the previous execution, or that of any client.
   */
  receiveReports(): void {
    setHandler(reportSignal, (workflowId, report) => {
      const load = [...this.#running].find((one) => one.workflowId !== undefined && one.workflowId === workflowId);
      // Any client can send a signal.
      if (typeof report !== 'object' || report === null) return;
      load?.reported?.(report);
      this.#options.onChange();
    });
  }

  get isEmpty(): boolean {
    return this.#running.size === 0;
  }

  get paths(): string[] {
    return [...this.#running].flatMap(({ paths }) => paths);
  }

  /** The wait of one of them, if all running uploads wait. */
  get waiting(): WaitingInfo | undefined {
    const all = [...this.#running].map(({ waiting }) => waiting);
    return all.every((one) => one !== undefined) ? all[0] : undefined;
  }

  /** Starts the loads as the window permits. @returns false if `until` was true before the last one */
  async send(loads: Iterable<Load>, until: () => boolean): Promise<boolean> {
    for (const load of loads) {
      const mayStart = () => !this.#options.isPaused() && this.#hasRoom(load);
      // A pause can follow a resume in the same workflow task, before this continues.
      do await condition(() => until() || mayStart());
      while (!until() && !mayStart());
      if (until()) return false;
      this.start(load);
    }
    return true;
  }

  /** Starts a load that has room already. */
  start(load: Load): void {
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

  /** Resolves when the control is in effect in all running loads. Loads that start later use it. */
  async apply(control: Control): Promise<void> {
    // A load that closes counts as well.
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

  /** Waits for all running loads, also if the workflow is cancelled, because the cancellation reaches them separately. */
  async drain(): Promise<void> {
    if (!this.isEmpty) await CancellationScope.nonCancellable(() => condition(() => this.isEmpty));
  }

  /** Whether the commands of all running loads fit into one message to Temporal. */
  #hasRoom({ commandBytes, units = 1 }: Load): boolean {
    if (this.isEmpty) return true;
    const running = [...this.#running];
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
    const used = sum(running.map((load) => load.units ?? 1));
    const bytes = sum(running.map((load) => load.commandBytes));
    return used + units <= this.#options.maxRunning() && bytes + commandBytes <= PayloadLimits.inFlight;
  }
}
