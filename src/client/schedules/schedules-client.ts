import { hiddenNames } from '../../temporal/tolerant-client.ts';
import { setTimeout } from 'node:timers/promises';
import type { Client, ScheduleDescription, ScheduleHandle, ScheduleUpdateOptions } from '@temporalio/client';
import { assertOptionNames } from '../prepare/option-problems.ts';
import { hasWorkers } from '../queues/queue-workers.ts';
import { scheduleVerdict } from '../../core/schedule/verdict.ts';
import { isScheduleName } from '../../core/schedule/settings.ts';
import { ConfigError } from '../../errors.ts';
import { isTemporalAway } from '../../temporal/temporal-fault.ts';
import {
  toScheduleInfo,
  overlapToTemporal,
  scheduleIdOf,
  scheduleNameOf,
  toAction,
  toPolicies,
  toSpec,
  updatedSchedule,
} from './temporal-schedule.ts';
import { lastDue, recentRuns } from './schedule-runs.ts';
import { ScheduleBusyError, ScheduleNotFoundError, onSchedule, scheduleFault } from './schedule-errors.ts';
import {
  assertSchedule,
  ScheduleOptionNames,
  ScheduleDefaults,
  type BackfillOptions,
  type CreateScheduleOptions,
  type ScheduleCheck,
  type ScheduleInfo,
  type ScheduleReport,
  type UpdateScheduleOptions,
} from './schedule-options.ts';

const TRIGGER_TIMEOUT_MS = 10_000;
const TRIGGER_POLL_MS = 100;

/**
 * Runs syncs and uploads at set times, as Temporal schedules. Methods throw subclasses of `LonghaulError`: those that are
 * documented, `ScheduleNotFoundError` if no schedule has the name, and `TemporalUnreachableError`.
 */
export class SchedulesClient {
  readonly #client: Client;
  readonly #taskQueue: string;

  /** @param taskQueue task queue of created and updated schedules */
  constructor(client: Client, taskQueue: string) {
    this.#client = client;
    this.#taskQueue = taskQueue;
  }

  /**
   * Creates a schedule. Creates nothing if an option is invalid.
   *
   * @throws ConfigError with every problem
   * @throws ScheduleExistsError
   */
  async create(options: CreateScheduleOptions): Promise<ScheduleInfo> {
    assertOptionNames(options, 'schedules.create', ScheduleOptionNames.create);
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

  /** Lists Longhaul's schedules by name. A new schedule can appear a second later. */
  async list(): Promise<ScheduleInfo[]> {
    return onSchedule('', async () => {
      const names: string[] = [];
      for await (const { scheduleId } of this.#client.schedule.list()) {
        const name = scheduleNameOf(scheduleId);
        if (isScheduleName(name)) names.push(name);
      }
      // The list does not contain the latest changes yet.
      const found = await Promise.all(names.toSorted().map((name) => this.#find(name)));
      return found.filter((info) => info !== undefined);
    });
  }

  /** Returns a schedule without its runs. */
  async get(name: string): Promise<ScheduleInfo> {
    return await toScheduleInfo(name, await this.#describe(name));
  }

  /** Returns a schedule with its last ten runs and their outcomes. */
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
   * Checks that the last run succeeded, that no run waits for an operator, and that no run is missing.
   *
   * @param options.graceMs maximum delay of the start of a run, and of its end after the next is due. @defaultValue 600,000
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
      const facts = runs.map((run) => ({ ...run, dueAtMs: run.dueAt.getTime() }));
      return { name, ...scheduleVerdict({ paused, runs: facts, lastDueMs, nowMs }) };
    });
  }

  /** Pauses the schedule. A current run continues. Without `note`, the note does not change. */
  pause(name: string, note?: string): Promise<ScheduleInfo> {
    return this.update(name, { paused: true, note });
  }

  /** Resumes the schedule. To start the runs that were due in the meantime, use `backfill`. */
  resume(name: string, note?: string): Promise<ScheduleInfo> {
    return this.update(name, { paused: false, note });
  }

  /**
   * Starts a run now, also of a paused schedule, with the overlap policy of the schedule.
   *
   * @returns ID of its workflow; undefined if it waits for the current run
   * @throws ScheduleBusyError if a run is in progress and the policy is `skip`
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
      const deadline = performance.now() + (isBuffered ? 0 : TRIGGER_TIMEOUT_MS);
      while (performance.now() < deadline) {
        const { recentActions } = (await handle.describe()).info;
        const started = recentActions.findLast(({ action }) => !known.has(action.workflow.workflowId));
        if (started) return started.action.workflow.workflowId;
        await setTimeout(TRIGGER_POLL_MS);
      }
      return undefined;
    });
  }

  /**
   * Starts the runs that were due in a past period, also those that ran then: a repeated sync sends nothing. Temporal gives
   * each the workflow ID of its time.
   *
   * @throws ConfigError if the period is invalid
   */
  async backfill(name: string, options: BackfillOptions): Promise<void> {
    assertOptionNames(options, 'schedules.backfill', ScheduleOptionNames.backfill);
    const { from, to, overlap = ScheduleDefaults.backfillOverlap } = options;
    if (!(from instanceof Date && to instanceof Date))
      throw new ConfigError('invalid backfill: "from" and "to" must be dates');
    if (!(from.getTime() < to.getTime())) throw new ConfigError('invalid backfill: "from" must be earlier than "to"');
    if (to.getTime() > Date.now()) throw new ConfigError('invalid backfill: "to" must not be later than now');
    if (!Object.hasOwn(overlapToTemporal, overlap))
      throw new ConfigError(`unknown overlap policy "${overlap as string}"`);
    await this.#describe(name);
    // Older versions of Temporal exclude the start of the period.
    const start = new Date(from.getTime() - 1);
    await onSchedule(name, () => this.#handle(name).backfill({ start, end: to, overlap: overlapToTemporal[overlap] }));
  }

  /**
   * Changes the properties that are set. New work runs on the task queue of this client.
   *
   * @throws ConfigError with every problem
   */
  async update(name: string, changes: UpdateScheduleOptions): Promise<ScheduleInfo> {
    assertOptionNames(changes, 'schedules.update', ScheduleOptionNames.update);
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

  /** Deletes the schedule. Current runs continue. */
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
    const describe = () => this.#handle(name).describe();
    try {
      // A schedule that is deleted during the call can leave it without an answer until its deadline.
      const description = await describe().catch((error: unknown) => {
        if (isTemporalAway(error)) return describe();
        throw error;
      });
      return await toScheduleInfo(name, description);
    } catch (error) {
      if (scheduleFault(error, name) instanceof ScheduleNotFoundError) return undefined;
      throw error;
    }
  }
}
