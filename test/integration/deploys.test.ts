import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { JobHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { beginWorker, runCli, startWorkerProcess, type CliRun, type InProcessCli } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { until } from '../support/until.ts';

const SLOTS = 4;

/** `temporal.api.enums.v1.PendingActivityState`: an attempt runs. */
const STARTED = 2;

const slots = ['--slots', String(SLOTS)];

async function stop(run: CliRun | InProcessCli): Promise<void> {
  if ('child' in run) run.child.kill('SIGTERM');
  else run.interrupt('SIGTERM');
  const { code, stderr } = await run.ended;
  expect(stderr).not.toMatch(/unexpected/);
  expect(code, 'exit status of a worker that received SIGTERM').toBe(0);
}

/** Waits until that worker process has that many parts in hand. */
function partsInHandsOf(
  pid: number | undefined,
  count: number,
  system: System,
  handle: JobHandle<'upload'>,
): Promise<void> {
  const workflow = system.client.temporal.workflow.getHandle(handle.workflowId);
  return until(
    async () => {
      const { raw } = await workflow.describe();
      const parts = (raw.pendingActivities ?? []).filter(
        ({ activityType, state, lastWorkerIdentity }) =>
          activityType?.name === 'uploadPart' && Number(state) === STARTED && lastWorkerIdentity?.startsWith(`${pid}@`),
      );
      return parts.length === count;
    },
    `${count} parts in the hands of process ${pid}`,
    30_000,
  );
}

async function eventsOf({ client }: System, { workflowId }: JobHandle<'upload'>) {
  return (await client.temporal.workflow.getHandle(workflowId).fetchHistory()).events ?? [];
}

/** The attempts of parts whose start is recorded: of each part the last one. */
async function recordedAttempts(system: System, handle: JobHandle<'upload'>) {
  const events = await eventsOf(system, handle);
  const parts = new Set(
    events.flatMap(({ eventId, activityTaskScheduledEventAttributes: scheduled }) =>
      scheduled?.activityType?.name === 'uploadPart' ? [String(eventId)] : [],
    ),
  );
  return events.flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started && parts.has(String(started.scheduledEventId)) ? [started] : [],
  );
}

/** Why the attempts of parts ended whose successors are recorded. */
async function endsOfAttempts(system: System, handle: JobHandle<'upload'>): Promise<string[]> {
  return (await recordedAttempts(system, handle)).flatMap(({ lastFailure: failure }) => {
    if (!failure) return [];
    return [failure.timeoutFailureInfo ? 'a timeout' : (failure.applicationFailureInfo?.type ?? 'something else')];
  });
}

/**
 * Two workers. The first one is a separate process. It waits for the answer to the completion of an upload, and has all
 * parts of another one that can be in flight, for seconds.
 */
async function withTwoWorkers(
  heartbeatTimeoutMs: number,
  signal: (victim: CliRun) => Promise<void>,
  annotate: (message: string) => Promise<unknown>,
  expectedEnd: string,
): Promise<void> {
  const parts = 8;
  await withSystem(async (system) => {
    const { client, directory, api, download, uploads } = system;
    const start = async (name: string, size: number) => {
      const file = join(directory, name);
      const content = await randomFile(file, size * MiB);
      const limits = { partSizeBytes: MiB, concurrency: SLOTS, heartbeatTimeoutMs };
      return { content, handle: await client.upload({ file, purpose: 'assistants', ...limits }) };
    };
    const environment = { ...system.environment, LONGHAUL_HEARTBEAT_INTERVAL_MS: '500' };
    const victim = await startWorkerProcess(environment, ...slots);
    api.faults.add({ route: 'complete', kind: 'stall' });
    const completing = await start('completing.bin', 2);
    await until(() => api.faults.list()[0]?.fired === 1, 'the completion to hang');
    api.configure({ bandwidthBytesPerSecond: MiB / 4 });
    const { content, handle } = await start('deployed.bin', parts);
    await partsInHandsOf(victim.child.pid, SLOTS, system, handle);
    const survivor = await beginWorker(environment, ...slots);
    const hasBegun = () => api.stats().totals.partsBegun === 2 + SLOTS && api.stats().totals.bytesReceived > 2 * MiB;
    await until(hasBegun, 'bytes of parts');

    const startedAtMs = performance.now();
    const ended = signal(victim);
    await partsInHandsOf(process.pid, SLOTS, system, handle);
    await annotate(`${SLOTS} parts were in other hands after ${Math.round(performance.now() - startedAtMs)} ms`);
    await ended;

    api.configure({ bandwidthBytesPerSecond: null });
    const result = await handle.result();
    expect(await endsOfAttempts(system, handle)).toEqual(Array(SLOTS).fill(expectedEnd));
    expect(result).toMatchObject({ sessions: 1, parts, partsSent: parts + SLOTS });
    const completed = await completing.handle.result();
    expect(uploads()).toMatchObject([
      { status: 'completed', partsBegun: 2, completions: 1 },
      { status: 'completed', partsBegun: parts + SLOTS, completions: 1 },
    ]);
    expect(md5(await download(result.file.id))).toBe(md5(content));
    expect(md5(await download(completed.file.id))).toBe(md5(completing.content));
    await stop(survivor);
  });
}

describe('a worker that stops with parts in flight', () => {
  it('after SIGTERM, releases them immediately, without a heartbeat timeout', ({ annotate }) =>
    withTwoWorkers(60_000, stop, annotate, 'WorkerStopping'));

  it('after SIGKILL, loses them to the other worker after the heartbeat timeout', ({ annotate }) =>
    withTwoWorkers(
      3000,
      async (victim) => {
        victim.child.kill('SIGKILL');
        await victim.ended;
      },
      annotate,
      'a timeout',
    ));

  it('with a grace period, completes its parts, and none is resent', () =>
    withSystem(
      async (system) => {
        // Those in flight may end together, and then the next ones are in flight: some must be left after these.
        const parts = 4 * SLOTS;
        const { client, directory, uploads, api } = system;
        const file = join(directory, 'graceful.bin');
        await randomFile(file, parts * MiB);
        const leaving = await beginWorker(system.environment, ...slots, '--grace', '60');
        const handle = await client.upload({ file, purpose: 'assistants', partSizeBytes: MiB, concurrency: SLOTS });
        await partsReceived(system, 1);
        await partsInHandsOf(process.pid, SLOTS, system, handle);
        await stop(leaving);
        expect(leaving.stderr()).toContain('waiting up to 60 s for parts in flight');
        const received = uploads()[0]?.partsReceived;
        expect(received, 'parts received while it was stopping').toBeGreaterThanOrEqual(SLOTS);
        expect(received, 'parts that were not started').toBeLessThan(parts);

        api.configure({ bandwidthBytesPerSecond: null });
        const next = await beginWorker(system.environment, ...slots);
        // Temporal can give a part to a poll that the shutdown ends: it is then an attempt, but none of its bytes were sent.
        expect(await handle.result()).toMatchObject({ parts, sessions: 1 });
        expect(uploads()).toMatchObject([{ partsBegun: parts, status: 'completed' }]);
        await stop(next);
      },
      { bandwidthBytesPerSecond: 2 * MiB },
    ));
});

it('an upload continues through several replacements of all workers, and resends only parts in flight', ({
  annotate,
}) =>
  withSystem(
    async (system) => {
      const parts = 32;
      const restarts = 4;
      const { client, directory, api, uploads, download } = system;
      const file = join(directory, 'rolling.bin');
      const content = await randomFile(file, parts * MiB);
      const handle = await client.upload({ file, purpose: 'assistants', partSizeBytes: MiB, concurrency: SLOTS });
      let worker = await beginWorker(system.environment, ...slots);
      const startedAtMs = performance.now();
      for (let restart = 1; restart <= restarts; restart++) {
        const sent = partsReceived(system, (uploads()[0]?.partsReceived ?? 0) + 2);
        const [next] = await Promise.all([beginWorker(system.environment, ...slots), sent]);
        await stop(worker);
        worker = next;
      }
      const secondsEach = (performance.now() - startedAtMs) / 1000 / restarts;
      expect(uploads(), 'the last restart hit a running upload').toMatchObject([{ status: 'pending' }]);
      api.configure({ bandwidthBytesPerSecond: null });
      const result = await handle.result();
      await stop(worker);

      const ends = await endsOfAttempts(system, handle);
      // Temporal may hand a task to the poll of a worker that is going at that moment; only that one may time out.
      // A part can be handed back several times, and its history has the last time only.
      const failures = (await recordedAttempts(system, handle)).reduce(
        (sum, { attempt }) => sum + (attempt ?? 1) - 1,
        0,
      );
      expect(failures, 'parts handed back; a restart that costs nothing hit nothing').toBeGreaterThanOrEqual(
        restarts / 2,
      );
      expect(ends.filter((end) => end !== 'WorkerStopping').length, 'parts lost on their way').toBeLessThan(restarts);
      expect(uploads()).toMatchObject([{ status: 'completed', completions: 1 }]);
      const begun = uploads()[0]?.partsBegun ?? 0;
      expect(begun, 'parts started').toBeLessThanOrEqual(parts + restarts * SLOTS);
      expect(md5(await download(result.file.id))).toBe(md5(content));
      await annotate(
        `${restarts} restarts, one in ${secondsEach.toFixed(1)} s; ${begun - parts} of ${parts} parts started again`,
      );
    },
    { bandwidthBytesPerSecond: 2 * MiB },
  ));

/** As an operator does it. The server learns of a version by its first poll. */
async function setCurrentVersion({ temporalAddress, taskQueue }: System, buildId: string): Promise<void> {
  const { path } = await temporalCliForTests();
  const version = ['--deployment-name', taskQueue, '--build-id', buildId];
  const command = ['worker', 'deployment', 'set-current-version', ...version, '--yes', '--address', temporalAddress];
  let refusal = '';
  await until(
    async () => {
      const failed = await promisify(execFile)(path, command).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      refusal = failed ?? '';
      return failed === undefined;
    },
    `version ${buildId} to become current`,
    30_000,
  ).catch((error: unknown) => {
    throw new Error(refusal, { cause: error });
  });
}

/** The builds that completed the workflow tasks, in their order. */
async function buildsOf(system: System, handle: JobHandle<'upload'>): Promise<(string | undefined)[]> {
  return (await eventsOf(system, handle)).flatMap(({ workflowTaskCompletedEventAttributes: task }) =>
    task ? [task.deploymentVersion?.buildId ?? undefined] : [],
  );
}

describe('with worker versioning', () => {
  it('an upload of a worker without a version continues with each build that becomes current', () =>
    withSystem(
      async (system) => {
        const { client, startWorker, taskQueue, directory, download, uploads, api } = system;
        const unversioned = await startWorker();
        const file = join(directory, 'versioned.bin');
        const content = await randomFile(file, 12 * MiB);
        const handle = await client.upload({ file, purpose: 'assistants', partSizeBytes: MiB, concurrency: SLOTS });
        await partsReceived(system, 1);
        api.configure({ bandwidthBytesPerSecond: MiB / 4 });

        const first = await startWorker({ deployment: { deploymentName: taskQueue, buildId: 'build-a' } });
        await setCurrentVersion(system, 'build-a');
        await unversioned.shutdown();
        // An update is a task for its workflow.
        const workflow = client.temporal.workflow.getHandle(handle.workflowId);
        await workflow.executeUpdate('retune', { args: [{ concurrency: SLOTS - 1 }] });

        const version = ['--deployment', taskQueue, '--build-id', 'build-b'];
        const next = await beginWorker(system.environment, ...slots, ...version);
        expect(next.stderr()).toContain(`as ${taskQueue} build-b polls`);
        await setCurrentVersion(system, 'build-b');
        await first.shutdown();
        expect(uploads()).toMatchObject([{ status: 'pending' }]);
        api.configure({ bandwidthBytesPerSecond: null });
        const result = await handle.result();

        const builds = await buildsOf(system, handle);
        expect([...new Set(builds)]).toEqual([undefined, 'build-a', 'build-b']);
        expect(builds.at(-1)).toBe('build-b');
        expect(result).toMatchObject({ sessions: 1, parts: 12 });
        expect(uploads()).toHaveLength(1);
        expect(md5(await download(result.file.id))).toBe(md5(content));
        await stop(next);
      },
      { bandwidthBytesPerSecond: 4 * MiB },
    ));

  it('a worker with an incomplete version does not start, and reports the missing setting', () =>
    withSystem(async ({ environment }) => {
      const half = await runCli(['worker', '--build-id', 'build-a'], environment);
      expect(half).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/requires a deployment\. Set --deployment or LONGHAUL_DEPLOYMENT/),
      });
      const other = await runCli(['worker'], { ...environment, LONGHAUL_DEPLOYMENT_NAME: 'uploads' });
      expect(other).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/requires a build ID\. Set --build-id or LONGHAUL_BUILD_ID/),
      });
    }));
});
