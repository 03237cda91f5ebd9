import { FailureType } from '../../src/contracts/failures.ts';
import type { S3Source } from '../../src/contracts/sources.ts';
import type { SplitUploadProgress } from '../../src/contracts/split.ts';
import type { SyncProgress } from '../../src/contracts/sync.ts';
import type { ProgressHead, UploadProgress, UploadRequest } from '../../src/contracts/upload.ts';
import type { ActivityTask, Resolution } from './activity-task.ts';
import type { Execution } from './execution.ts';
import type { Close } from './execution-world.ts';
import { UploadInvariants } from './invariants.ts';
import { describeFailure, valueOf } from './payloads.ts';
import type { Plan } from './plan.ts';
import type { Service } from './service.ts';
import type { ModelSources } from './source.ts';
import { SplitInvariants } from './split-invariants.ts';
import { SyncInvariants } from './sync-invariants.ts';

export type Progress = UploadProgress | SplitUploadProgress | SyncProgress;

/** Properties that the progress of every workflow has. */
const head = [
  'kind',
  'state',
  'filename',
  'bytesTotal',
  'bytesDone',
  'partsInFlight',
  'waiting',
  'startedAtMs',
] as const satisfies readonly (keyof ProgressHead)[];

const failureTypes: ReadonlySet<string> = new Set(Object.values(FailureType));

interface RulesContext {
  readonly plan: Plan;
  readonly service: Service;
  readonly sources: ModelSources;
  /** Of the file of a plan without a folder. */
  readonly filename: string;
  /** Of the current run of a sync. */
  readonly startedAtMs: () => number;
  /** Executions of the pieces or large files. */
  readonly children: () => readonly Execution[];
  readonly violation: (rule: string, text: string) => void;
}

/** Passes what happens to the rules of the workflow that it happens to. */
export class Rules {
  readonly #context: RulesContext;
  /** By the ID of the first execution: of the upload, or of each piece or large file. */
  readonly #uploads = new Map<string, UploadInvariants>();
  readonly #split: SplitInvariants;
  readonly #sync: SyncInvariants;
  #isPaused = false;

  constructor(context: RulesContext) {
    this.#context = context;
    const { plan, service, sources, violation } = context;
    this.#split = new SplitInvariants(plan, service, violation);
    this.#sync = new SyncInvariants(plan, service, sources, violation);
  }

  /** A pause ends with the run that it was for. */
  begin(run: number): void {
    this.#isPaused = false;
    if (this.#context.plan.folder) this.#sync.begin(run);
  }

  progress(execution: Execution): Pick<UploadProgress | SyncProgress, 'state' | 'waiting'> | undefined {
    return (isSync(execution) ? this.#sync : this.#of(execution))?.progress;
  }

  /** @param executions of which those with the workflow ID are paused or resumed. @param workflowId without it, all */
  paused(isPaused: boolean, executions: readonly Execution[], workflowId?: string): void {
    if (workflowId === undefined) this.#isPaused = isPaused;
    // A pause of a sync pauses its uploads, too.
    if (this.#context.plan.folder && workflowId === undefined) this.#sync.paused(isPaused);
    for (const { start } of executions) {
      if (start.workflowId !== (workflowId ?? start.workflowId)) continue;
      this.#uploads.get(start.firstExecutionRunId)?.paused(isPaused);
    }
  }

  /** The response of a completion was lost. */
  doubt(uploadId: string): void {
    for (const rules of this.#uploads.values()) rules.doubt(uploadId);
  }

  scheduled(execution: Execution, task: ActivityTask): void {
    if (isSync(execution)) this.#sync.scheduled(execution, task);
    else this.#of(execution)?.scheduled(task);
  }

  resolved(execution: Execution, task: ActivityTask, resolution: Resolution): void {
    if (task.isForged) {
      if (isSync(execution)) this.#sync.forged(task);
      else this.#of(execution)?.forged(task);
      return;
    }
    if (isSync(execution)) this.#sync.resolved(task, resolution);
    else this.#of(execution)?.resolved(task, resolution);
    const { failed } = resolution;
    const { type = '' } = failed?.failure?.cause?.applicationFailureInfo ?? { type: 'none' };
    // Another type is a mistake in the code.
    if (failed && type !== 'none' && !failureTypes.has(type ?? ''))
      this.#context.violation('the failure of an activity has a type', describeFailure(failed.failure));
  }

  childStarts(execution: Execution, workflowId: string): void {
    if (isSync(execution)) this.#sync.childStarts(workflowId);
  }

  /** @param progress undefined if the query failed */
  activated(execution: Execution, progress: Progress | undefined, nowMs: number): void {
    const { children, violation } = this.#context;
    const missing = head.filter((name) => progress?.[name] === undefined);
    if (progress && missing.length > 0) violation('every progress has the same head', missing.join());
    const { close } = execution;
    const atTheEnd = close?.status === 'continued' ? undefined : progress;
    if (isSync(execution)) {
      if (progress) this.#sync.activated(execution, progress as SyncProgress, children(), nowMs);
      if (close) this.#sync.closed(execution, close, atTheEnd as SyncProgress | undefined, children());
    } else if (execution.start.workflowType === 'uploadSplitFile') {
      if (progress) this.#split.activated(progress as SplitUploadProgress);
      if (close) this.#split.closed(close, atTheEnd as SplitUploadProgress | undefined, children());
    } else {
      const rules = this.#of(execution);
      if (progress) rules?.activated(execution, progress as UploadProgress, nowMs);
      if (close) rules?.closed(execution, close, atTheEnd as UploadProgress | undefined);
    }
  }

  /** The rules of an upload; undefined for a split upload as a whole. */
  #of({ start }: Execution): UploadInvariants | undefined {
    const { workflowId, workflowType, input, firstExecutionRunId } = start;
    const known = this.#uploads.get(firstExecutionRunId);
    if (known || workflowType !== 'uploadFile') return known;
    const { service, sources, startedAtMs } = this.#context;
    const { filename = this.#context.filename, source } = valueOf(input[0]) as UploadRequest;
    const { range } = source as { readonly range?: { readonly sizeBytes: number } };
    const { folder, sizeBytes: plannedBytes } = this.#context.plan;
    const sizeBytes = range?.sizeBytes ?? (folder ? sources.files.get((source as S3Source).key)?.sizeBytes : undefined);
    const plan = { ...this.#context.plan, sizeBytes: sizeBytes ?? plannedBytes };
    const violation = (rule: string, text: string) => this.#context.violation(rule, `${workflowId}: ${text}`);
    const rules = new UploadInvariants(plan, service.of(filename, startedAtMs()), violation);
    rules.paused(this.#isPaused);
    this.#uploads.set(firstExecutionRunId, rules);
    return rules;
  }
}

export function describeClose(close: Close): string {
  if (close.status === 'completed') return `completed ${JSON.stringify(valueOf(close.result))}`;
  if (close.status === 'failed') return `failed, ${describeFailure(close.failure)}`;
  return close.status;
}

function isSync({ start }: Execution): boolean {
  return start.workflowType === 'syncSource';
}
