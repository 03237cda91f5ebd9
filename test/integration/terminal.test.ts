import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { JobHandle } from 'longhaul';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { findRunning, type ListedState } from '../../src/client/lists/list-uploads.ts';
import { runCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { withTemporalServer } from '../support/temporal-with-flags.ts';
import { withRealTerminal, withTerminal, type TerminalRun } from '../support/terminal.ts';
import { until } from '../support/until.ts';

const partSizeBytes = MiB;

async function upload(system: System, name: string, parts: number): Promise<JobHandle<'upload'>> {
  const file = join(system.directory, name);
  await randomFile(file, parts * MiB - 7);
  return system.client.upload({ file, purpose: 'assistants', partSizeBytes, concurrency: 2 });
}

function longhaul({ environment }: System, ...args: string[]) {
  return runCli(args, environment);
}

async function listedAs(system: System, state: ListedState, ids: readonly string[]): Promise<void> {
  const isListed = async () => {
    const found = new Set<string>();
    for await (const { workflowId } of system.client.list({ state, taskQueue: system.taskQueue }))
      found.add(workflowId);
    return ids.every((id) => found.has(id));
  };
  await until(isListed, `uploads to be listed as ${state}`, 10_000);
}

describe('the terminal', () => {
  it('prints uploads by state in list, status and top, with the exact bytes that the API stores', () =>
    withSystem(
      async (system) => {
        const { api, uploads } = system;
        await system.startWorker();
        const done = await upload(system, 'done.bin', 1);
        await done.result();
        api.faults.add({ route: 'create', kind: 'status', status: 403 });
        const waiting = await upload(system, 'waiting.bin', 2);
        await until(async () => (await waiting.status()).state === 'waiting', 'the upload to wait');
        const paused = await upload(system, 'paused.bin', 12);
        await partsReceived(system, 4);
        await paused.pause();
        await listedAs(system, 'paused', [paused.workflowId]);
        await listedAs(system, 'waiting', [waiting.workflowId]);
        const stored = uploads().find(({ filename }) => filename === 'paused.bin')?.bytesStored as number;
        expect(stored).toBeGreaterThanOrEqual(3 * MiB);

        const [list, top, status, byState, several] = await Promise.all([
          longhaul(system, 'list', '--state', 'paused', '--json'),
          longhaul(system, 'top', '--once', '--json'),
          longhaul(system, 'status', paused.workflowId, '--json'),
          longhaul(system, 'list', '--state', 'waiting'),
          longhaul(system, 'retune', paused.workflowId, 'no-such-upload', '--concurrency', '3'),
        ]);
        const mine = (outcome: { stdout: string }) =>
          JSON.parse(outcome.stdout).uploads.find(
            (one: { workflowId: string }) => one.workflowId === paused.workflowId,
          );
        expect(mine(list)).toMatchObject({
          state: 'paused',
          filename: 'paused.bin',
          bytes: 12 * MiB - 7,
          bytesDone: stored,
        });
        expect(mine(top)).toMatchObject({ state: 'paused', bytes: 12 * MiB - 7, bytesDone: stored, from: 'worker' });
        expect(JSON.parse(status.stdout)).toMatchObject({ progress: { state: 'paused', bytesDone: stored } });
        expect(list.stdout).not.toContain(waiting.workflowId);
        expect(byState.stdout).toMatch(new RegExp(`^\\S+  waiting  ${waiting.workflowId}  .*ApiRejected`, 'm'));
        expect(byState.stdout).not.toContain(paused.workflowId);
        expect(several.code).toBe(1);
        expect(several.stderr).toMatch(/paused.bin-\w+: paused .* at most 3/);
        expect(several.stderr).toMatch(/longhaul: no-such-upload: upload or sync "no-such-upload" not found/);
      },
      { bandwidthBytesPerSecond: 6 * MiB },
    ));

  it('pauses by a query after a prompt, and resumes without sending a part twice', () =>
    withSystem(
      async (system) => {
        await system.startWorker();
        const handles = await Promise.all(['a.bin', 'b.bin', 'c.bin'].map((name) => upload(system, name, 6)));
        const ids = handles.map(({ workflowId }) => workflowId);
        await partsReceived(system, 3);
        // None may be through before the commands have started, however slow the machine is.
        system.api.configure({ bandwidthBytesPerSecond: MiB / 8 });
        const query = `TaskQueue = "${system.taskQueue}"`;

        const unasked = await longhaul(system, 'pause', '--query', query);
        expect(unasked).toMatchObject({ code: 2, stderr: expect.stringMatching(/not a terminal\. Use --yes/) });
        await withTerminal(['pause', '--query', query], system.environment, async ({ shows, press, ended }) => {
          await shows('pause these 3? [y/N]');
          system.api.configure({ bandwidthBytesPerSecond: 2 * MiB });
          press('y\n');
          expect(await ended).toBe(0);
        });
        for (const handle of handles)
          expect(await handle.status()).toMatchObject({ state: 'paused', partsInFlight: 0 });

        await listedAs(system, 'paused', ids);
        const resumed = await longhaul(
          system,
          'resume',
          '--query',
          `LonghaulState = "paused" AND ${query}`,
          '--yes',
          '--json',
        );
        const { outcomes } = JSON.parse(resumed.stdout);
        expect(outcomes.map((one: { workflowId: string }) => one.workflowId).toSorted()).toEqual(ids.toSorted());
        expect(outcomes).toMatchObject(ids.map(() => ({ outcome: 'done', progress: { state: 'uploading' } })));
        system.api.configure({ bandwidthBytesPerSecond: null });
        for (const handle of handles)
          expect(await handle.result()).toMatchObject({ parts: 6, partsSent: 6, sessions: 1 });
        // Aborted parts are not in a receipt, but the API has received them.
        expect(system.uploads()).toMatchObject(ids.map(() => ({ partsBegun: 6, bytesReceived: 6 * MiB - 7 })));
      },
      { bandwidthBytesPerSecond: 6 * MiB },
    ));

  it('updates top until q, escapes names that could move the cursor, and restores the cursor', () =>
    withSystem(
      async (system) => {
        await system.startWorker();
        const file = join(system.directory, 'evil.bin');
        await randomFile(file, 8 * MiB);
        const id = `evil\u001b[2J\u0007-${system.taskQueue}`;
        const handle = await system.client.upload({ file, purpose: 'assistants', partSizeBytes, concurrency: 2, id });
        await partsReceived(system, 1);
        // The upload must run until the command has shown it, however slow the machine is.
        system.api.configure({ bandwidthBytesPerSecond: MiB / 8 });
        await withRealTerminal(
          ['top', '--sort', 'state'],
          system.environment,
          async ({ shows, press, screen, ended }) => {
            await shows(/uploading +\d+% .*KiB\/s.*evil�\[2J�-/);
            const before = await handle.status();
            await shows(/sorted by state \(s: change, q: quit\)/);
            press('s');
            await shows(/by start \(s/);
            await handle.pause({ parts: 'stop' });
            await shows(new RegExp(`paused +\\d+%.*evil`));
            press('q');
            expect(await ended).toBe(0);
            expect(screen()).not.toContain('\u001b[2J');
            expect(screen().lastIndexOf('\u001b[?25h')).toBeGreaterThan(screen().lastIndexOf('\u001b[?25l'));
            expect(before.state).toBe('uploading');
          },
        );

        const watched = longhaul(system, 'status', id, '--watch');
        system.api.configure({ bandwidthBytesPerSecond: null });
        await handle.resume();
        const { file: made } = await handle.result();
        const { code, stdout } = await watched;
        expect(code).toBe(0);
        expect(stdout.trim().split('\n').at(-1)).toMatch(new RegExp(`: completed · .* · ${made.id}$`));
        expect(stdout).not.toContain('\u001b');
      },
      { bandwidthBytesPerSecond: MiB / 2 },
    ));

  it('is readable at a width of 40 columns', () =>
    withSystem(
      async (system) => {
        await system.startWorker();
        const names = [
          '訓練データの二〇二六年十一月二十八日の分.bin',
          'a-name-that-is-longer-than-a-narrow-terminal.bin',
        ];
        const files = names.map((name) => join(system.directory, name));
        for (const file of files) await randomFile(file, 8 * MiB);
        const narrow = async (args: string[], use: (terminal: TerminalRun) => Promise<void>): Promise<string> => {
          let shown = '';
          const keep = async (terminal: TerminalRun) => {
            await use(terminal);
            await terminal.ended;
            shown = terminal.screen();
          };
          await withTerminal(args, system.environment, keep, 40);
          // Movements of the cursor to another line or column separate what is written.
          // eslint-disable-next-line no-control-regex
          const separated = shown.replace(/\u001b\[[\d;]*[A-HJf]/g, '\n');
          const lines = stripVTControlCharacters(separated).split(/[\r\n]+/);
          // Only a word that is longer, such as an ID, can be wider.
          const isTooWide = (line: string) => stringWidth(line) > 40 && line.trim().includes(' ');
          expect(lines.filter(isTooWide), args.join(' ')).toEqual([]);
          return lines.map((line) => line.trimEnd()).join('\n');
        };
        const uploading = narrow(
          ['upload', ...files, '--purpose', 'assistants', '--part-size', '1MiB', '--concurrency', '1'],
          async ({ shows }) => {
            await shows(/訓.*….* [1-9]\d% · .*left/);
            await shows(/a-nam.*….* [1-9]\d%/);
          },
        );
        await partsReceived(system, 2);
        system.api.configure({ bandwidthBytesPerSecond: MiB / 4 });
        const listed = await narrow(['list', '--running'], async () => {});
        // The column is shown if a sync of another test runs.
        expect(listed).toMatch(/^STATE +ID( +TYPE)? +DONE$/m);
        expect(listed).toMatch(/^uploading +longhau.*….* \d+%$/m);
        const topped = await narrow(['top', '--once'], async () => {});
        expect(topped).toMatch(/^uploading +\d+% .*longhau.*…/m);
        await narrow(['top'], async ({ shows, press }) => {
          await shows(/\d+%[^]*s: change, q: quit/);
          press('q');
        });
        const { uploads } = JSON.parse((await longhaul(system, 'list', '--running', '--json')).stdout);
        const mine = uploads.find((one: { taskQueue: string }) => one.taskQueue === system.taskQueue);
        const status = await narrow(['status', mine.workflowId], async () => {});
        expect(status).toMatch(/uploading ·/);
        expect(status.replace(/\n {2}/g, ' ')).toMatch(/\d of 8 parts recorded/);
        expect(await narrow(['doctor'], async () => {})).toMatch(/^ok {4}Temporal: /m);
        expect(await narrow(['upload', '--help'], async () => {})).toMatch(/^ {2}--part-size <bytes>\n {6}\S/m);
        const error = await narrow(['upload', '/no such file', '--purpose', 'assistants'], async () => {});
        expect(error).toMatch(/^longhaul: .*\n {2}\S/);
        system.api.configure({ bandwidthBytesPerSecond: null });
        expect(await uploading).toMatch(/file-\w+/);
      },
      { bandwidthBytesPerSecond: MiB / 2 },
    ));

  it('prints a fix for each problem, and fails only for problems that stop uploads', () =>
    withSystem(async (system) => {
      const doctor = async (changes: Record<string, string> = {}, ...args: string[]) => {
        const { code, stdout, stderr } = await runCli(['doctor', '--json', ...args], {
          ...system.environment,
          ...changes,
        });
        const { healthy, checks } = JSON.parse(stdout);
        expect(stdout + stderr).not.toContain('sk-');
        expect(code).toBe(healthy ? 0 : 1);
        return Object.fromEntries(checks.map((check: { name: string }) => [check.name, check]));
      };
      const file = join(system.directory, 'source.bin');
      await randomFile(file, 3 * MiB);

      const { workflowId } = await upload(system, 'nobody-sends.bin', 1);
      await listedAs(system, 'running', [workflowId]);
      const [unserved, top] = await Promise.all([doctor(), longhaul(system, 'top', '--once', '--json')]);
      const row = JSON.parse(top.stdout).uploads.find((one: { workflowId: string }) => one.workflowId === workflowId);
      // Its first activity brings the attributes.
      expect(row).toMatchObject({ state: 'running', from: 'search-attributes' });
      expect(unserved['workers']).toMatchObject({
        status: 'fail',
        fix: expect.stringMatching(/longhaul worker/),
      });
      await system.startWorker();
      const [fine, faulty, away] = await Promise.all([
        doctor({}, file),
        doctor({ OPENAI_API_KEY: 'sk-wrong', LONGHAUL_HOST: 'elsewhere' }, `${file}.gone`),
        doctor({ TEMPORAL_ADDRESS: '127.0.0.1:9', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }),
      ]);
      expect(Object.values(fine).map(({ status }) => status)).toEqual(Array(8).fill('ok'));
      expect(fine['source'].message).toBe(`${file}: 3 MiB`);
      expect(faulty).toMatchObject({
        'destination default': { status: 'fail', message: expect.stringMatching(/rejects the key/) },
        workers: { status: 'warn', message: expect.stringMatching(/files of this machine \(elsewhere\)/) },
        source: { status: 'fail', message: expect.stringMatching(/does not exist/) },
        Temporal: { status: 'ok' },
      });
      expect(away).toMatchObject({
        Temporal: { status: 'fail', message: expect.stringMatching(/cannot connect to Temporal at 127.0.0.1:9/) },
        'destination default': { status: 'fail', message: expect.stringMatching(/is unreachable/) },
        clock: { status: 'warn', message: expect.stringMatching(/not compared/) },
      });
      expect(away['workers']).toBeUndefined();
    }));

  it('reports how to register search attributes, and lists uploads after a worker has registered them', () =>
    withTemporalServer({}, (temporalAddress) =>
      withSystem(
        async (system) => {
          const [byWaiting, refused, doctor] = await Promise.all([
            longhaul(system, 'list', '--state', 'waiting'),
            longhaul(system, 'cancel', '--yes', '--query', 'LonghaulSize > 3'),
            longhaul(system, 'doctor'),
          ]);
          expect(byWaiting).toMatchObject({
            code: 2,
            stderr: expect.stringMatching(/LonghaulState is not registered .*"longhaul setup"/),
          });
          expect(refused).toMatchObject({
            code: 2,
            stderr: 'longhaul: Temporal rejected the query: invalid search attribute: LonghaulSize\n',
          });
          const { workflow } = system.client.temporal;
          const foreign = {
            taskQueue: `${system.taskQueue}-foreign`,
            workflowId: `foreign-${system.taskQueue}`,
            args: [],
          };
          await workflow.start('foreign', foreign);
          const isForeign = `WorkflowId = "${foreign.workflowId}"`;
          await until(async () => (await workflow.count(isForeign)).count === 1, 'the other workflow to be listed');
          expect(await findRunning(system.client.temporal, `${isForeign}) OR (${isForeign}`)).toEqual([]);
          expect(doctor.stdout).toMatch(/^warn {2}search attributes: .*LonghaulState.* → run "longhaul setup"$/m);

          await system.startWorker();
          const { workflowId, result } = await upload(system, 'plain.bin', 1).then(async (handle) => ({
            workflowId: handle.workflowId,
            result: await handle.result(),
          }));
          expect(result).toMatchObject({ parts: 1 });
          const completed = await longhaul(system, 'list', '--state', 'completed', '--json');
          expect(JSON.parse(completed.stdout).uploads).toMatchObject([{ workflowId, state: 'completed' }]);
        },
        { temporalAddress },
      ),
    ));
});
