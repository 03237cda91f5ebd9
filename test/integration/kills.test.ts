import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCli, type CliRun } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const PARTS = 24;
const SLOTS = 4;
const uploadArguments = `--purpose batch --part-size 1MiB --concurrency ${SLOTS} --heartbeat-timeout 2s --json`.split(
  ' ',
);

/** Slow enough that a kill hits the middle. */
const limits = { bandwidthBytesPerSecond: 6 * MiB };

/** The outcome that every kill must lead to, as the server and not the code under test sees it. */
async function expectExactlyOneFile(system: System, content: Buffer, kills: number): Promise<void> {
  expect(kills).toBeGreaterThan(0);
  const completed = system.uploads().filter(({ status }) => status === 'completed');
  expect(completed).toHaveLength(1);
  expect(system.uploads()).toHaveLength(1);
  const [{ fileId, partsBegun, completions }] = completed as [(typeof completed)[0]];
  expect(completions).toBe(1);
  expect(md5(await system.download(fileId as string))).toBe(md5(content));
  expect(partsBegun, 'parts begun at the server').toBeLessThanOrEqual(PARTS + kills * SLOTS);
}

async function kill(run: CliRun): Promise<void> {
  run.child.kill('SIGKILL');
  await run.ended;
}

function startWorkerProcess(system: System): CliRun {
  return startCli(['worker', '--slots', String(SLOTS)], system.environment);
}

function ready(run: CliRun): Promise<void> {
  return until(() => run.said().includes('worker on '), 'the worker to serve');
}

/** Whether Temporal has given a part to that very process. */
async function isSending({ client }: System, workflowId: string, { child }: CliRun): Promise<boolean> {
  const { raw } = await client.temporal.workflow.getHandle(workflowId).describe();
  const parts = (raw.pendingActivities ?? []).filter(({ activityType }) => activityType?.name === 'uploadPart');
  return parts.some(({ lastWorkerIdentity }) => lastWorkerIdentity?.startsWith(`${child.pid}@`));
}

/** Environment of a user without a Temporal of his own. */
function embeddedEnvironment({ api, directory }: System): Record<string, string> {
  return {
    OPENAI_BASE_URL: api.url,
    OPENAI_API_KEY: 'sk-test-canary-0451',
    LONGHAUL_STATE_DIR: join(directory, 'state'),
  };
}

describe('SIGKILL in the middle of an upload', () => {
  it('of one of two worker processes: the other takes over within the heartbeat timeout', () =>
    withSystem(async (system) => {
      const { client, directory } = system;
      const file = join(directory, 'killed-worker.bin');
      const content = await randomFile(file, PARTS * MiB);
      const [victim, survivor] = [startWorkerProcess(system), startWorkerProcess(system)];
      await Promise.all([ready(victim), ready(survivor)]);
      const handle = await client.upload({
        file,
        purpose: 'batch',
        partSizeBytes: MiB,
        // Enough for both workers, so that the one that dies has its hands full.
        concurrency: 2 * SLOTS,
        heartbeatTimeoutMs: 3000,
      });
      await partsReceived(system, PARTS / 3);
      // Stopped, it can't end the part in the moment before it dies.
      const holdsPart = async () => {
        victim.child.kill('SIGSTOP');
        if (await isSending(system, handle.workflowId, victim)) return true;
        victim.child.kill('SIGCONT');
        return false;
      };
      await until(holdsPart, 'the worker that is to die to send a part');
      await kill(victim);

      const result = await handle.result();
      survivor.child.kill('SIGTERM');
      expect((await survivor.ended).code).toBe(0);
      expect(result.sessions).toBe(1);
      expect(result.partsSent, 'a kill that costs nothing did not hit').toBeGreaterThan(PARTS);
      await expectExactlyOneFile(system, content, 1);
    }, limits));

  it('of a worker that waits for the answer to the completion: another one completes', () =>
    withSystem(async (system) => {
      const file = join(system.directory, 'killed-completing.bin');
      const content = await randomFile(file, 2 * MiB);
      system.api.faults.add({ route: 'complete', kind: 'stall' });
      const victim = startWorkerProcess(system);
      await ready(victim);
      const request = { file, purpose: 'batch', partSizeBytes: MiB, heartbeatTimeoutMs: 2000 };
      const handle = await system.client.upload(request);
      await until(() => system.api.faults.list()[0]?.fired === 1, 'the completion to hang');
      await kill(victim);
      await system.startWorker();
      const result = await handle.result();
      expect(md5(await system.download(result.file.id))).toBe(md5(content));
      expect(system.uploads()).toMatchObject([{ status: 'completed', completions: 1 }]);
    }));

  it('of the command: the same command goes on from the recorded parts', () =>
    withSystem(async (system) => {
      const file = join(system.directory, 'killed-command.bin');
      const content = await randomFile(file, PARTS * MiB);
      const environment = embeddedEnvironment(system);
      const first = startCli(['upload', file, ...uploadArguments], environment);
      await partsReceived(system, PARTS / 3);
      await kill(first);
      const received = system.api.stats().totals.partsReceived;
      expect(received).toBeLessThan(PARTS);

      const second = await startCli(['upload', file, ...uploadArguments], environment).ended;
      expect(second.stderr).not.toMatch(/unexpected|Warning/);
      expect(second.code).toBe(0);
      expect(JSON.parse(second.stdout)).toMatchObject({ resumed: true, parts: PARTS, md5: md5(content) });
      await expectExactlyOneFile(system, content, 1);
    }, limits));

  it('of the embedded Temporal server: the command goes on with a new one', () =>
    withSystem(async (system) => {
      const file = join(system.directory, 'killed-server.bin');
      const content = await randomFile(file, PARTS * MiB);
      const environment = embeddedEnvironment(system);
      await mkdir(environment['LONGHAUL_STATE_DIR'] as string, { recursive: true });
      const run = startCli(['upload', file, ...uploadArguments], environment);
      await partsReceived(system, PARTS / 3);
      const record = JSON.parse(
        await readFile(join(environment['LONGHAUL_STATE_DIR'] as string, 'server.json'), 'utf8'),
      );
      process.kill(record.pid, 'SIGKILL');

      const outcome = await run.ended;
      expect(outcome.stderr).not.toMatch(/unexpected|Warning/);
      expect(outcome.code).toBe(0);
      expect(system.uploads().filter(({ status }) => status === 'completed')).toHaveLength(1);
      const { file: uploaded } = JSON.parse(outcome.stdout);
      expect(md5(await system.download(uploaded.id))).toBe(md5(content));
      const { partsBegun } = system.api.stats().totals;
      expect(partsBegun).toBeLessThanOrEqual(PARTS + SLOTS);
    }, limits));
});
