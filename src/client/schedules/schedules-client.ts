import { hiddenNames } from '../../tolerant-client.ts';
import { setTimeout } from 'node:timers/promises';
import type { Client, ScheduleDescription, ScheduleHandle, ScheduleUpdateOptions } from '@temporalio/client';
import { hasWorkers } from '../queues/queue-workers.ts';
import { scheduleVerdict } from '../../core/schedule/verdict.ts';
import { isScheduleName } from '../../core/schedule/settings.ts';
import { ConfigError } from '../../errors.ts';
import { toScheduleInfo } from './from-temporal.ts';
import { lastDue } from './last-due.ts';
import { ScheduleBusyError, ScheduleNotFoundError } from './schedule-errors.ts';
import { onSchedule, scheduleFault } from './schedule-faults.ts';
import {
  assertSchedule,
  ScheduleDefaults,
  type BackfillOptions,
  type CreateScheduleOptions,
  type ScheduleCheck,
  type ScheduleInfo,
  type ScheduleReport,
  type UpdateScheduleOptions,
} from './schedule-options.ts';
import { recentRuns } from './schedule-runs.ts';
import { overlapToTemporal, scheduleIdOf, scheduleNameOf, toAction, toPolicies, toSpec } from './to-temporal.ts';
import { updatedSchedule } from './updated-schedule.ts';

const TRIGGER_TIMEOUT_MS = 10_000;
const TRIGGER_POLL_MS = 100;

/**
 * Syncs and uploads at set times, by Temporal's own schedules. Methods throw errors below `LonghaulError`: besides those
 * that are named, `ScheduleNotFoundError` for a name that there is not, and `TemporalUnreachableError`.
 */
export class SchedulesClient {
  readonly #client: Client;
  readonly #taskQueue: string;

  /** @param taskQueue queue of the runs of schedules that are created or updated */
  constructor(client: Client, taskQueue: string) {
    this.#client = client;
    this.#taskQueue = taskQueue;
  }

  /**
   * Creates a schedule; nothing is created when anything is wrong.
   *
   * @throws ConfigError with every problem
   * @throws ScheduleExistsError
   */
  async create(options: CreateScheduleOptions): Promise<ScheduleInfo> {
    const { name } = options;
    await assertSchedule(name, options, true);
    return onSchedule(
      name,
      async () => {
        const handle = await this.#client.schedule.create({
          scheduleId: scheduleIdOf(name),
          spec: toSpec(options),
          policies: toPolicies(options),
          action: toAction(name, options, this.#taskQueue, hiddenNames(this.#client)),
          memo: { longhaulSchedule: name },
          state: { paused: options.paused ?? false, note: options.note || undefined },
        });
        return await toScheduleInfo(name, await handle.describe());
      },
      options.cron,
    );
  }

  /** Longhaul's schedules, by name; a new one may take a second to be among them. */
  async list(): Promise<ScheduleInfo[]> {
    return onSchedule('', async () => {
      const names: string[] = [];
      for await (const { scheduleId } of this.#client.schedule.list()) {
        const name = scheduleNameOf(scheduleId);
        if (isScheduleName(name)) names.push(name);
      }
      // The list itself is behind what was changed just now.
      const found = await Promise.all(names.toSorted().map((name) => this.#find(name)));
      return found.filter((info) => info !== undefined);
    });
  }

  /** A schedule as it stands, without its runs. */
  async get(name: string): Promise<ScheduleInfo> {
    return await toScheduleInfo(name, await this.#describe(name));
  }

  /** A schedule with its last ten runs and what became of them. */
  async show(name: string): Promise<ScheduleReport> {
    const description = await this.#describe(name);
    return onSchedule(name, async () => {
      const info = await toScheduleInfo(name, description);
      const [runs, workflows] = await Promise.all([
        recentRuns(this.#client, description),
        hasWorkers(this.#client, info.taskQueue, 'workflow'),
      ]);
      return { ...info, runs, hasWorkers: workflows };
    });
  }

  /**
   * Whether the last run went well, none waits for a person and none is missing.
   *
   * @param options.graceMs how late a run may begin, or end when the next one is due. @defaultValue 600,000
   */
  async check(name: string, options: { readonly graceMs?: number } = {}): Promise<ScheduleCheck> {
    const { graceMs = ScheduleDefaults.checkGraceMs } = options;
    const description = await this.#describe(name);
    return onSchedule(name, async () => {
      const { paused, jitterMs } = await toScheduleInfo(name, description);
      const nowMs = Date.now();
      const [runs, lastDueMs] = await Promise.all([
        recentRuns(this.#client, description),
        lastDue(this.#client, description, nowMs - graceMs - jitterMs),
      ]);
      const facts = runs.map(({ workflowId, dueAt, outcome, detail, waitsFor }) => ({
        workflowId,
        dueAtMs: dueAt.getTime(),
        outcome,
        detail,
        waitsFor,
      }));
      return { name, ...scheduleVerdict({ paused, runs: facts, lastDueMs, nowMs }) };
    });
  }

  /** Nothing runs until it is resumed; a run that is under way goes on. The note stays when none is given. */
  pause(name: string, note?: string): Promise<ScheduleInfo> {
    return this.update(name, { paused: true, note });
  }

  /** What was due meanwhile is not made up for; `backfill` does that. */
  resume(name: string, note?: string): Promise<ScheduleInfo> {
    return this.update(name, { paused: false, note });
  }

  /**
   * Starts a run now, also of a paused schedule, under the schedule's own overlap policy.
   *
   * @returns id of its workflow; undefined when it waits for the run that is under way
   * @throws ScheduleBusyError when a run is under way and the policy is `skip`
   */
  async trigger(name: string): Promise<string | undefined> {
    const before = await this.#describe(name);
    const overlap = before.policies.overlap ?? 'SKIP';
    const [running] = before.info.runningActions;
    if (running && overlap === 'SKIP') throw new ScheduleBusyError(name, running.workflow.workflowId);
    return onSchedule(name, async () => {
      const handle = this.#handle(name);
      await handle.trigger(overlap);
      const known = new Set(before.info.recentActions.map(({ action }) => action.workflow.workflowId));
      const isBuffered = running !== undefined && overlap.startsWith('BUFFER');
      const deadline = Date.now() + (isBuffered ? 0 : TRIGGER_TIMEOUT_MS);
      while (Date.now() < deadline) {
        const { recentActions } = (await handle.describe()).info;
        const started = recentActions.findLast(({ action }) => !known.has(action.workflow.workflowId));
        if (started) return started.action.workflow.workflowId;
        await setTimeout(TRIGGER_POLL_MS);
      }
      return undefined;
    });
  }

  /**
   * Starts the runs that were due in a span of the past, also those that ran then: a sync that ran finds nothing to do.
   * Temporal gives each the workflow id that it had, or would have had.
   *
   * @throws ConfigError for a span that is none
   */
  async backfill(
    name: string,
    { from, to, overlap = ScheduleDefaults.backfillOverlap }: BackfillOptions,
  ): Promise<void> {
    if (!(from.getTime() < to.getTime()))
      throw new ConfigError('a backfill needs a span: "from" must be earlier than "to"');
    if (to.getTime() > Date.now())
      throw new ConfigError('a backfill is about the past: "to" must not be later than now');
    if (!Object.hasOwn(overlapToTemporal, overlap))
      throw new ConfigError(`unknown overlap policy "${overlap as string}"`);
    await this.#describe(name);
    // Older versions of Temporal leave the first instant of the span out.
    const start = new Date(from.getTime() - 1);
    await onSchedule(name, () => this.#handle(name).backfill({ start, end: to, overlap: overlapToTemporal[overlap] }));
  }

  /**
   * Changes what is given and leaves the rest. Given work goes to this client's task queue.
   *
   * @throws ConfigError with every problem
   */
  async update(name: string, changes: UpdateScheduleOptions): Promise<ScheduleInfo> {
    await assertSchedule(name, changes, false);
    return onSchedule(
      name,
      async () => {
        const handle = this.#handle(name);
        await handle.update(
          (previous) =>
            updatedSchedule(
              name,
              previous,
              changes,
              this.#taskQueue,
              hiddenNames(this.#client),
            ) as ScheduleUpdateOptions,
        );
        return await toScheduleInfo(name, await handle.describe());
      },
      changes.cron,
    );
  }

  /** Runs that are under way go on. */
  async delete(name: string): Promise<void> {
    await this.#describe(name);
    await onSchedule(name, () => this.#handle(name).delete());
  }

  #handle(name: string): ScheduleHandle {
    return this.#client.schedule.getHandle(scheduleIdOf(name));
  }

  #describe(name: string): Promise<ScheduleDescription> {
    if (!isScheduleName(name)) throw new ScheduleNotFoundError(name);
    return onSchedule(name, () => this.#handle(name).describe());
  }

  async #find(name: string): Promise<ScheduleInfo | undefined> {
    try {
      return await toScheduleInfo(name, await this.#handle(name).describe());
    } catch (error) {
      if (scheduleFault(error, name) instanceof ScheduleNotFoundError) return undefined;
      throw error;
    }
  }
}
