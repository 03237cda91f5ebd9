import type { SplitUploadProgress, SplitUploadRequest } from '../../src/contracts/split.ts';
import type { UploadProgress, UploadRequest } from '../../src/contracts/upload.ts';
import { startAttempt } from './activities.ts';
import { VirtualClock } from './clock.ts';
import type { ClientWorld } from './client.ts';
import { Dice } from './dice.ts';
import type { Execution } from './execution.ts';
import type { Close, ExecutionWorld } from './execution-world.ts';
import { UploadInvariants } from './invariants.ts';
import { Namespace } from './namespace.ts';
import { Operator } from './operator.ts';
import { describeFailure, payloadOf, valueOf } from './payloads.ts';
import type { Call, Fault, Plan } from './plan.ts';
import { Service } from './service.ts';
import { ModelSource } from './source.ts';
import { SplitInvariants } from './split-invariants.ts';

/** 2027, at a whole hour. */
const START_MS = Date.UTC(2027, 0, 4, 9);
const WORKERS = 2;
/** An upload that does not end before has a fault, or a plan that never lets it end. */
const MAX_DAYS = 30;
/** Activations that are replayed without a reason: their number grows with the square of the length of a history. */
const MAX_REPLAYED = 400;
const MAX_ACTIVATIONS = 3000;

export interface Violation {
  readonly rule: string;
  readonly text: string;
}

export interface Outcome {
  readonly trace: readonly string[];
  readonly violations: readonly Violation[];
  readonly close: Close | undefined;
  readonly executions: number;
  readonly activities: number;
  readonly virtualMs: number;
}

const WORKFLOW_ID = 'upload';
const NAME = 'train.jsonl';

/** Runs one upload from its start to its end, as the plan says. */
export async function simulate(plan: Plan): Promise<Outcome> {
  const simulation = new Simulation(plan);
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
  readonly #dice: Dice;
  readonly #service: Service;
  readonly #source: ModelSource;
  readonly #namespace: Namespace;
  /** By workflow ID: of the upload, or of each piece. */
  readonly #invariants = new Map<string, UploadInvariants>();
  readonly #split: SplitInvariants;
  readonly #operator: Operator;
  readonly #trace: string[] = [];
  readonly #violations: Violation[] = [];
  readonly #calls = new Map<Call, number>();
  #isPaused = false;
  #activities = 0;
  #activations = 0;
  #replayed = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#dice = new Dice(plan.seed);
    this.#service = new Service(this.clock, plan.style);
    this.#source = new ModelSource(plan.sizeBytes);
    this.#namespace = new Namespace(this.clock, this.#dice, () => this.#world());
    this.#split = new SplitInvariants(plan, this.#service, (rule, text) => this.#violate(rule, text));
    this.#operator = new Operator(plan, {
      clock: this.clock,
      source: this.#source,
      namespace: this.#namespace,
      execution: (isPiece) => (isPiece ? this.#pieces.find(({ isOpen }) => isOpen) : this.#execution),
      progress: ({ start }) => this.#invariants.get(start.workflowId)?.progress,
      paused: (isPaused, workflowId) => this.#paused(isPaused, workflowId),
      trace: (line) => this.#note(line),
      violation: (rule, text) => this.#violate(rule, text),
    });
  }

  async run(): Promise<Outcome> {
    const { request: settings, sizeBytes, pieces } = this.#plan;
    const request: SplitUploadRequest = {
      source: { type: 'file', path: `/data/${NAME}` },
      purpose: 'fine-tune',
      ...settings,
      ...(pieces ? { pieceSizeBytes: Math.ceil(sizeBytes / pieces) } : {}),
    };
    const workflowType = pieces ? 'uploadSplitFile' : 'uploadFile';
    this.#namespace.start({ workflowType, workflowId: WORKFLOW_ID, input: [payloadOf(request)] });
    this.#operator.begin();
    while (this.#execution.isOpen) {
      if (!(await this.clock.next()) && !this.#operator.resumeAtTheEnd()) {
        this.#violate('an upload does not wait forever', 'nothing is scheduled, and it is open');
        break;
      }
      if (this.#activations > MAX_ACTIVATIONS || this.clock.nowMs > START_MS + MAX_DAYS * 86_400_000) {
        this.#violate('an upload ends', `open after ${this.#activations} activations`);
        break;
      }
    }
    const { close } = this.#execution;
    for (const execution of this.#namespace.all) await execution.evict();
    // What still runs on workers ends, and must not reach the service.
    for (let rest = 0; rest < 200 && (await this.clock.next()); rest++);
    const counts = { executions: this.#namespace.started, activities: this.#activities };
    const virtualMs = this.clock.nowMs - START_MS;
    return { trace: this.#trace, violations: this.#violations, close, ...counts, virtualMs };
  }

  get #execution(): Execution {
    return this.#namespace.at(WORKFLOW_ID) as Execution;
  }

  get #pieces(): Execution[] {
    return this.#namespace.all.filter(({ start }) => start.workflowId !== WORKFLOW_ID);
  }

  /** The rules of an upload; undefined for a split upload as a whole. */
  #rulesOf({ start }: Execution): UploadInvariants | undefined {
    const { workflowId, workflowType, input } = start;
    const known = this.#invariants.get(workflowId);
    if (known || workflowType !== 'uploadFile') return known;
    const { filename = NAME, source } = valueOf(input[0]) as UploadRequest;
    const { sizeBytes = this.#plan.sizeBytes } =
      (source as { readonly range?: { readonly sizeBytes: number } }).range ?? {};
    const violation = (rule: string, text: string) => this.#violate(rule, text);
    const rules = new UploadInvariants({ ...this.#plan, sizeBytes }, this.#service.of(filename), violation);
    rules.paused(this.#isPaused);
    this.#invariants.set(workflowId, rules);
    return rules;
  }

  #paused(isPaused: boolean, workflowId?: string): void {
    if (workflowId === undefined) this.#isPaused = isPaused;
    for (const [id, rules] of this.#invariants) if (id === (workflowId ?? id)) rules.paused(isPaused);
  }

  #world(): ExecutionWorld {
    return {
      clock: this.clock,
      dice: this.#dice,
      suggestAfterEvents: this.#plan.suggestAfterEvents,
      trace: (line) => this.#note(line),
      violation: (rule, text) => this.#violate(rule, text),
      pickWorker: (key) => this.#dice.whole(`${key}/worker`, 0, WORKERS - 1),
      start: (info, input, beat) => startAttempt(this.#clientWorld(), info, input, beat),
      onScheduled: (execution, task) => {
        this.#activities++;
        this.#rulesOf(execution)?.scheduled(task);
      },
      onResolved: (execution, task, resolution) => {
        this.#rulesOf(execution)?.resolved(task, resolution);
        const { completed, failed } = resolution;
        const end = completed ? 'completed' : failed ? describeFailure(failed.failure) : 'cancelled';
        this.#note(`${task.type} ${task.seq} ended: ${end}`);
      },
      onActivated: (execution) => this.#activated(execution),
      onClosed: (execution, close) => {
        const { workflowId } = execution.start;
        this.#note(`${workflowId === WORKFLOW_ID ? 'the workflow' : workflowId} ended: ${describeClose(close)}`);
        this.#namespace.closed(execution, close);
      },
      onCommand: (execution, command) => {
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
      source: this.#source,
      namespace: this.#namespace,
      trace: (line) => this.#note(line),
      onDoubt: (uploadId) => {
        for (const rules of this.#invariants.values()) rules.doubt(uploadId);
      },
      onCall: (call) => this.#faultOf(call),
      durationMs: (call, key) => {
        const [least, most] = call === 'addPart' || call === 'hashSource' ? this.#plan.partMs : this.#plan.callMs;
        return this.#dice.whole(`${key}/duration`, least, most);
      },
    };
  }

  #faultOf(call: Call): Fault | undefined {
    const nth = (this.#calls.get(call) ?? 0) + 1;
    this.#calls.set(call, nth);
    this.#operator.called(call, nth);
    const planned = this.#plan.faults.find((fault) => fault.call === call && fault.nth === nth);
    const sinceMs = this.clock.nowMs - START_MS;
    const isNow = ({ fromMs, forMs }: { fromMs: number; forMs: number }) =>
      sinceMs >= fromMs && sinceMs < fromMs + forMs;
    const outage = this.#plan.outages.find((one) => (one.call === '*' || one.call === call) && isNow(one));
    return planned?.fault ?? outage?.fault;
  }

  async #activated(execution: Execution): Promise<void> {
    this.#activations++;
    let progress: UploadProgress | SplitUploadProgress | undefined;
    try {
      progress = (await execution.query('progress')) as UploadProgress | SplitUploadProgress;
    } catch (error) {
      this.#violate('progress never throws', (error as Error).message);
    }
    this.#operator.notePause();
    const rules = this.#rulesOf(execution);
    if (progress) rules?.activated(execution, progress, this.clock.nowMs);
    if (progress && 'pieces' in progress) this.#split.activated(progress);
    this.#operator.activated(execution);
    const { close } = execution;
    if (close) rules?.closed(execution, close, close.status === 'continued' ? undefined : progress);
    if (close && !rules) this.#split.closed(close, progress as SplitUploadProgress | undefined, this.#pieces);
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
    const seconds = (this.clock.nowMs - START_MS) / 1000;
    this.#trace.push(`${seconds.toFixed(3).padStart(10)} s  ${line}`);
  }

  #violate(rule: string, text: string): void {
    // The first violation of a rule is enough.
    this.#note(`VIOLATION of "${rule}": ${text}`);
    if (!this.#violations.some((violation) => violation.rule === rule)) this.#violations.push({ rule, text });
  }
}

function describeClose(close: Close): string {
  if (close.status === 'completed') return `completed ${JSON.stringify(valueOf(close.result))}`;
  if (close.status === 'failed') return `failed, ${describeFailure(close.failure)}`;
  return close.status;
}
