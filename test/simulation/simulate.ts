import { openAiLimits } from '../../src/contracts/limits.ts';
import { startAttempt, Workers } from './activities.ts';
import { VirtualClock } from './clock.ts';
import type { ClientWorld } from './client.ts';
import { Dice } from './dice.ts';
import type { Execution } from './execution.ts';
import type { Close, ExecutionWorld } from './execution-world.ts';
import { ForgedRules } from './forged-rules.ts';
import { ModelManifest } from './manifest.ts';
import { Namespace } from './namespace.ts';
import { Operator } from './operator.ts';
import { describeFailure, valueOf } from './payloads.ts';
import { isInvalid, type Plan } from './plan.ts';
import { PlannedFaults } from './planned-faults.ts';
import { describeClose, Rules, type Progress } from './rules.ts';
import { changedGlobals } from './run.ts';
import { Service } from './service.ts';
import { ModelSources } from './source.ts';
import { NAME, PATH, startOfRun, WORKFLOW_ID } from './start-of-run.ts';
import { Trace, type Violation } from './trace.ts';

/** 2027, at a whole hour. */
export const START_MS = Date.UTC(2027, 0, 4, 9);
const WORKERS = 2;
/** An upload that does not end before has a fault, or a plan that never lets it end. */
const MAX_DAYS = 30;
/** Activations that are replayed without a reason: their number grows with the square of the length of a history. */
const MAX_REPLAYED = 100;
const MAX_ACTIVATIONS = 3000;
/** Heartbeats that are not sent are not awaited one by one: an upload that waits for days has thousands. */
const MAX_QUIET = 50;
/** Time after which the operator cancels a workflow that waits after a forged end. */
const MAX_FORGED_MS = 3 * 3_600_000;
const MAX_TRACED = 300;

export interface Outcome {
  readonly trace: readonly string[];
  readonly violations: readonly Violation[];
  /** Of the first run. */
  readonly close: Close | undefined;
  readonly executions: number;
  readonly activities: number;
  /** Names of activities that another client ended. */
  readonly forged: readonly string[];
  readonly virtualMs: number;
  readonly service: Service;
  /** The last one of the upload, split upload or sync. */
  readonly execution: Execution;
}

/** The first one with all that the plan contains, then one without faults and changes that sends the rest. */
const SYNC_RUNS = 2;
/** How often a third run follows, which sends nothing. */
const THIRD_RUN = 0.3;
/** Longer than the list of the service lags. */
const PAUSE_MS = 10 * 60_000;

/**
 * Runs one upload from its start to its end by a plan.
 * @param watch receives the progress of the upload, split upload or sync after each of its activations
 */
export async function simulate(plan: Plan, watch?: (progress: Progress, nowMs: number) => void): Promise<Outcome> {
  const simulation = new Simulation(plan, watch);
  const restore = simulation.clock.install();
  try {
    return await simulation.run();
  } finally {
    restore();
  }
}

class Simulation {
  readonly clock = new VirtualClock(START_MS);
  readonly #plan: Plan;
  readonly #watch: ((progress: Progress, nowMs: number) => void) | undefined;
  readonly #dice: Dice;
  readonly #service: Service;
  readonly #sources: ModelSources;
  readonly #workers = new Workers();
  readonly #manifest = new ModelManifest();
  readonly #namespace: Namespace;
  readonly #rules: Rules;
  readonly #forgedRules: ForgedRules;
  readonly #operator: Operator;
  readonly #trace = new Trace(this.clock);
  readonly #faults: PlannedFaults;
  readonly #forged: string[] = [];
  /** Of the current run of a sync. */
  #startedAtMs = START_MS;
  #activities = 0;
  /** Pieces. */
  #begun = 0;
  #ended = 0;
  #activations = 0;
  #replayed = 0;

  constructor(plan: Plan, watch?: (progress: Progress, nowMs: number) => void) {
    this.#watch = watch;
    this.#plan = plan;
    this.#dice = new Dice(plan.seed);
    this.#faults = new PlannedFaults(plan, () => this.clock.nowMs - START_MS);
    this.#service = new Service(this.clock, plan.style);
    this.#sources = new ModelSources(
      () => this.clock.nowMs,
      (content, sizeBytes) => isInvalid(plan, content, sizeBytes),
    );
    if (plan.folder) for (const { path, sizeBytes } of plan.folder.files) this.#sources.add(path, sizeBytes);
    else this.#sources.add(PATH, plan.sizeBytes);
    this.#namespace = new Namespace(
      this.clock,
      this.#dice,
      () => this.#world(),
      ({ start }, workflowId, name, isReceived) =>
        this.#note(
          `${start.workflowId} sent the signal ${name} to ${workflowId}${isReceived ? '' : ', which has closed'}`,
        ),
    );
    this.#rules = new Rules({
      plan,
      service: this.#service,
      sources: this.#sources,
      filename: NAME,
      startedAtMs: () => this.#startedAtMs,
      children: () => this.#pieces,
      violation: (rule, text) => this.#violate(rule, text),
    });
    this.#forgedRules = new ForgedRules(plan, this.#service, (rule, text) => this.#violate(rule, text));
    this.#operator = new Operator(plan, {
      clock: this.clock,
      sources: this.#sources,
      namespace: this.#namespace,
      restart: (worker) => this.#workers.restart(worker),
      execution: (isPiece) => (isPiece ? this.#pieces.find(({ isOpen }) => isOpen) : this.#execution),
      progress: (execution) => this.#rules.progress(execution),
      paused: (isPaused, workflowId) => this.#rules.paused(isPaused, this.#namespace.all, workflowId),
      trace: (line) => this.#note(line),
      violation: (rule, text) => this.#violate(rule, text),
    });
  }

  async run(): Promise<Outcome> {
    this.#start();
    this.#operator.begin();
    await this.#untilClosed();
    const first = this.#execution.close;
    if (this.#plan.folder) {
      this.#operator.stop();
      this.#faults.calm();
      const { runs = SYNC_RUNS + (this.#dice.chance('third-run', THIRD_RUN) ? 1 : 0) } = this.#plan.folder;
      for (let run = 2; run <= runs; run++) {
        await this.#wait(PAUSE_MS);
        this.#start(run);
        await this.#untilClosed();
      }
    }
    for (const execution of this.#namespace.all) await execution.evict();
    const globals = await changedGlobals();
    if (globals.length > 0) this.#violate('a workflow changes no globals', globals.join());
    // What still runs on workers ends, and must not reach the service.
    for (let rest = 0; rest < 200 && (await this.clock.next()); rest++);
    return {
      trace: this.#trace.lines,
      violations: this.#trace.violations,
      close: first,
      executions: this.#namespace.started,
      activities: this.#activities,
      forged: this.#forged,
      virtualMs: this.clock.nowMs - START_MS,
      service: this.#service,
      execution: this.#execution,
    };
  }

  #start(run = 1): void {
    this.#startedAtMs = this.clock.nowMs;
    this.#rules.begin(run);
    if (this.#plan.folder) this.#note(`run ${run}`);
    this.#namespace.start(startOfRun(this.#plan));
  }

  async #untilClosed(): Promise<void> {
    let isCancelled = false;
    while (this.#execution.isOpen) {
      if (this.#plan.forgedEnds && !isCancelled && this.clock.nowMs > this.#startedAtMs + MAX_FORGED_MS) {
        isCancelled = true;
        this.#forgedRules.open((await this.#execution.query('progress')) as Progress);
        this.#note('the operator cancels a workflow that waits');
        this.#execution.cancel();
      }
      if (!(await this.clock.next(MAX_QUIET)) && !this.#operator.resumeAtTheEnd()) {
        this.#violate('an upload does not wait forever', 'nothing is scheduled, and it is open');
        return;
      }
      if (this.#activations > MAX_ACTIVATIONS || this.clock.nowMs > this.#startedAtMs + MAX_DAYS * 86_400_000) {
        this.#violate('an upload ends', `open after ${this.#activations} activations`);
        return;
      }
    }
  }

  async #wait(forMs: number): Promise<void> {
    let isOver = false;
    this.clock.after(forMs, () => {
      isOver = true;
    });
    while (!isOver) await this.clock.next();
  }

  get #execution(): Execution {
    return this.#namespace.at(WORKFLOW_ID) as Execution;
  }

  get #pieces(): Execution[] {
    return this.#namespace.all.filter(({ start }) => start.workflowId !== WORKFLOW_ID);
  }

  #world(): ExecutionWorld {
    return {
      clock: this.clock,
      dice: this.#dice,
      suggestAfterEvents: this.#plan.suggestAfterEvents,
      trace: (line) => this.#note(line),
      violation: (rule, text) => this.#violate(rule, text),
      pickWorker: (key) => this.#dice.whole(`${key}/worker`, 0, WORKERS - 1),
      forgery: (type) =>
        this.#faults.forgeryOf(type, (text, moment) => {
          this.#note(`another client ends ${type}, ${moment}: ${text.slice(0, MAX_TRACED)}`);
          this.#forgedRules.forged(text);
        }),
      start: (info, input, beat) => startAttempt(this.#clientWorld(), info, input, beat),
      onScheduled: (execution, task) => {
        this.#activities++;
        this.#rules.scheduled(execution, task);
      },
      onResolved: (execution, task, resolution) => {
        this.#rules.resolved(execution, task, resolution);
        const { completed, failed } = resolution;
        const end = completed ? 'completed' : failed ? describeFailure(failed.failure) : 'cancelled';
        this.#note(`${task.type} ${task.seq} ended: ${end.slice(0, MAX_TRACED)}`);
        if (task.isForged) this.#operator.called('forgedEnd', this.#forged.push(task.type));
        else if (this.#plan.forgedEnds && completed) this.#faults.record(task.type, valueOf(completed.result));
      },
      onActivated: (execution) => this.#activated(execution),
      onClosed: (execution, close) => {
        const { workflowId } = execution.start;
        this.#note(`${workflowId === WORKFLOW_ID ? 'the workflow' : workflowId} ended: ${describeClose(close)}`);
        this.#forgedRules.closed(execution, close);
        this.#namespace.closed(execution, close);
        if (workflowId !== WORKFLOW_ID && close.status !== 'continued')
          this.#operator.called('endPiece', ++this.#ended);
      },
      onAnyCommand: (command) => this.#forgedRules.commanded(command),
      onCommand: (execution, command) => {
        const { startChildWorkflowExecution: child } = command;
        if (child) {
          this.#rules.childStarts(execution, child.workflowId ?? '');
          this.#operator.called('startPiece', ++this.#begun);
        }
        if (this.#namespace.command(execution, command)) return;
        this.#violate('commands are known', Object.keys(command).join());
      },
    };
  }

  #clientWorld(): ClientWorld {
    return {
      clock: this.clock,
      dice: this.#dice,
      service: this.#service,
      sources: this.#sources,
      workers: this.#workers,
      manifest: this.#manifest,
      batchFiles: this.#plan.folder?.batchFiles ?? Infinity,
      hasAttributes: this.#plan.hasAttributes ?? false,
      isInvalid: (content, sizeBytes) => isInvalid(this.#plan, content, sizeBytes),
      limits: { ...openAiLimits, ...this.#plan.limits },
      namespace: this.#namespace,
      trace: (line) => this.#note(line),
      onDoubt: (uploadId) => this.#rules.doubt(uploadId),
      onCall: (call) => {
        const nth = this.#faults.count(call);
        this.#operator.called(call, nth);
        return this.#faults.faultOf(call, nth);
      },
      durationMs: (call, key) => {
        const [least, most] = call === 'addPart' || call === 'hashSource' ? this.#plan.partMs : this.#plan.callMs;
        return this.#dice.whole(`${key}/duration`, least, most);
      },
    };
  }

  async #activated(execution: Execution): Promise<void> {
    this.#activations++;
    let progress: Progress | undefined;
    try {
      progress = (await execution.query('progress')) as typeof progress;
    } catch (error) {
      this.#violate('progress never throws', (error as Error).message);
    }
    if (progress && execution.start.workflowId === WORKFLOW_ID) this.#watch?.(progress, this.clock.nowMs);
    this.#operator.notePause();
    const { close } = execution;
    this.#rules.activated(execution, progress, this.clock.nowMs);
    this.#operator.activated(execution);
    if (close?.status === 'continued') {
      await execution.evict();
      this.#namespace.continueAsNew(execution, close.command);
    } else if (
      this.#replayed < MAX_REPLAYED &&
      this.#dice.chance(`${execution.key}/${this.clock.nowMs}/evict`, this.#plan.evictChance)
    ) {
      this.#replayed += execution.activations;
      await execution.evict();
    }
  }

  #note(line: string): void {
    this.#trace.note(line);
  }

  #violate(rule: string, text: string): void {
    if (!this.#forgedRules.excuse(rule)) this.#trace.violate(rule, text);
  }
}
