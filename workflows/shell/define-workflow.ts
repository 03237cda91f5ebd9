import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  ContinueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  makeContinueAsNewFunc,
  setDefaultUpdateHandler,
  setHandler,
} from '@temporalio/workflow';
import { QueryName, SignalName, UpdateName, type PauseInput, type RetuneInput } from '../../src/contracts/names.ts';
import type { JobProgress } from '../../src/core/show/end-line.ts';
import { inputProblem, isPlainObject } from '../../src/core/payload.ts';
import { pauseProblems, retuneProblems } from './control-problems.ts';
import { failureOf, isRequestedCancellation, reasonOfFailure } from './failures.ts';
import { invalidRequest, rawProblems } from './requests.ts';
import { logEnd, logRejectedRequest } from './log-end.ts';
import { ParentReports } from './parent-reports.ts';

/** Controls of a running job. Each is an update with the same name. */
export type Control =
  | ({ readonly type: 'pause' } & PauseInput)
  | { readonly type: 'resume' }
  | { readonly type: 'retry' }
  | ({ readonly type: 'retune' } & RetuneInput);

/** A control that a fleet passes on to its uploads. The upload reports its number when the control is in effect. */
export const controlSignal = defineSignal<[control: Control, number: number]>(SignalName.control);

/** The end of an execution after a long history. */
export class HandOver<Carried> {
  /** Returns the state for the next execution. Called last, because controls can change the state until then. */
  readonly carried: () => Carried;

  constructor(carried: () => Carried) {
    this.carried = carried;
  }
}

/** The specific steps of one execution, without the common steps of all workflows. */
export interface Run<Result, Carried, Progress extends JobProgress> {
  run(): Promise<Result | HandOver<Carried>>;
  progress(): Progress;
  /** Returns the reason for which a valid control cannot be applied now; undefined if it can be applied. */
  rejects(control: Control): string | undefined;
  /** @returns the progress as soon as the control is in effect */
  apply(control: Control): Progress | Promise<Progress>;
  /**
   * Called after any failure or cancellation: no part of the run continues after it.
   *
   * @param reason as `reasonOfFailure` returns it
   * @returns the result of a run that was completed in spite of the failure
   */
  abandon(state: 'cancelled' | 'failed', reason: string): Promise<Result | undefined>;
}

interface Kind<Request, Carried, Result, Progress extends JobProgress> {
  /** Name in log lines. */
  readonly noun: 'upload' | 'sync';
  readonly controls: readonly Control['type'][];
  /** Whether it starts workflows whose IDs start with its ID. */
  readonly hasChildren: boolean;
  /** Returns all problems of the second argument, which any caller can send. */
  carriedProblems(carried: Carried | undefined): readonly string[];
  /** @param request is an object, and not checked any further if `carried` does not contain it
   *  @param reports to the parent that has started this workflow as an upload of its fleet */
  open(request: Request, carried: Carried | undefined, reports: ParentReports): Run<Result, Carried, Progress>;
  fileIds(result: Result): readonly string[];
}

/** Defines a workflow: rejects invalid input, handles the query and the updates, and completes or continues as new. */
export function defineWorkflow<Request, Carried, Result, Progress extends JobProgress>(
  kind: Kind<Request, Carried, Result, Progress>,
): (request: Request, carried?: Carried) => Promise<Result> {
  return async (request, carried) => {
    rejectInvalid(kind, request, carried);
    const reports = new ParentReports();
    const run = kind.open(request, carried, reports);
    setHandlers(kind, run, reports);
    try {
      const outcome = await run.run();
      // A late cancellation must not hide the result.
      await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
      if (!(outcome instanceof HandOver)) {
        logEnd(run.progress(), { fileIds: kind.fileIds(outcome) });
        return outcome;
      }
      await reports.settled();
      // The next execution does not receive a cancellation of this one.
      if (CancellationScope.current().consideredCancelled)
        throw new CancelledFailure('cancelled before continue-as-new');
      const continueAsNew = makeContinueAsNewFunc<(request: Request, carried: Carried) => Promise<Result>>();
      return await continueAsNew(request, outcome.carried());
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      const failure = isRequestedCancellation(error) ? error : failureOf(error);
      const result = await run.abandon(isCancellation(failure) ? 'cancelled' : 'failed', reasonOfFailure(failure));
      if (result !== undefined) {
        // A failure must not hide an existing File.
        logEnd(run.progress(), { fileIds: kind.fileIds(result) });
        return result;
      }
      logEnd(run.progress(), { failure });
      throw failure;
    }
  };
}

function rejectInvalid<Request, Carried>(
  {
    noun,
    hasChildren,
    carriedProblems,
  }: Pick<Kind<Request, Carried, never, never>, 'noun' | 'hasChildren' | 'carriedProblems'>,
  request: Request,
  carried: Carried | undefined,
): void {
  const problems = [...rawProblems(noun, request, hasChildren), ...carriedProblems(carried)];
  if (problems.length === 0) return;
  const failure = invalidRequest(...problems);
  logRejectedRequest(noun, failure);
  throw failure;
}

function setHandlers<Result, Carried, Progress extends JobProgress>(
  { controls }: Pick<Kind<never, Carried, Result, Progress>, 'controls'>,
  run: Run<Result, Carried, Progress>,
  reports: ParentReports,
): void {
  setHandler(defineQuery<Progress>(QueryName.progress), () => run.progress());
  setHandler(controlSignal, async (control, number) => {
    // Any client can send a signal.
    if (!isPlainObject(control)) return;
    const { type, ...input } = control;
    if (!controls.includes(type) || inputProblems(type, input).length > 0) return;
    const known = controlOf(type, input);
    // A failure of a signal handler would close the workflow before its session is cancelled.
    try {
      if (run.rejects(known) === undefined) await run.apply(known);
    } catch {
      return;
    }
    reports.applied(number, run.progress());
  });
  const assertValid = (type: Control['type'], input: object | undefined): void => {
    const problems = inputProblems(type, input);
    const problem = problems.length === 0 ? run.rejects(controlOf(type, input)) : undefined;
    if (problem !== undefined) problems.push(problem);
    if (problems.length > 0) throw invalidRequest(...problems);
  };
  const apply = (type: Control['type'], input: object | undefined): Progress | Promise<Progress> => {
    const progress = run.apply(controlOf(type, input));
    return progress instanceof Promise ? progress.catch(throwFailure) : progress;
  };
  // Updates that arrived before the first task, in their order: a handler for each name would change it.
  setDefaultUpdateHandler((name, first) => {
    const input = first as object | undefined;
    const type = controls.find((control) => UpdateName[control] === name);
    if (type === undefined) throw ApplicationFailure.nonRetryable(`No registered handler for update: ${name}`);
    assertValid(type, input);
    return apply(type, input);
  });
  setDefaultUpdateHandler(undefined);
  for (const type of controls) {
    setHandler(defineUpdate<Progress, [object | undefined]>(UpdateName[type]), (input) => apply(type, input), {
      validator: (input) => assertValid(type, input),
    });
  }
}

/** Without unknown properties, which a fleet would send to each of its uploads. */
function controlOf(type: Control['type'], input: object | undefined): Control {
  if (type === 'retune') return { ...input, type };
  if (type !== 'pause') return { type };
  const { parts, whileCompleting } = (input ?? {}) as PauseInput;
  return { type, parts, whileCompleting };
}

/** Problems of the input of an update, which any caller can send. */
function inputProblems(type: Control['type'], input: unknown): string[] {
  if (type === 'retune') return retuneProblems(input);
  if (type === 'pause') return pauseProblems(input);
  // The history stores the input of an update that is accepted.
  const problem = isPlainObject(input) ? inputProblem(`a ${type}`, input) : undefined;
  return problem === undefined ? [] : [problem];
}

function throwFailure(error: unknown): never {
  throw failureOf(error);
}
