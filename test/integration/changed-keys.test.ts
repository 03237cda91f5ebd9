import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobHandle } from 'longhaul';
import { loadConfig, requireDestination } from 'longhaul/worker';
import { describe, expect, it } from 'vitest';
import { beginCli, runCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { KEY, MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'assistants';

function toWait(handle: JobHandle<'upload'>): Promise<void> {
  return until(async () => (await handle.status()).state === 'waiting', 'the upload to wait');
}

/** A worker of this configuration; the upload waits five minutes unless it is made to retry. */
async function startWorker(system: System, destination: object): Promise<void> {
  const path = join(system.directory, 'config.json');
  await writeFile(path, JSON.stringify({ destinations: { keyed: { baseUrl: system.api.url, ...destination } } }));
  const config = loadConfig({ LONGHAUL_CONFIG: path, HOME: system.directory, PATH: process.env['PATH'] });
  await system.startWorker({ destinations: (name) => requireDestination(config, name) });
}

async function startUpload({ client, directory }: System): Promise<JobHandle<'upload'>> {
  const file = join(directory, 'keyed.bin');
  await randomFile(file, MiB);
  return client.upload({ file, purpose, destination: 'keyed' });
}

describe('an upload that waits because of its key', () => {
  it('continues when its key file has another key after a rejection', () =>
    withSystem(async (system) => {
      const apiKeyFile = join(system.directory, 'key');
      await writeFile(apiKeyFile, 'sk-wrong');
      await startWorker(system, { apiKeyFile });
      const handle = await startUpload(system);
      await toWait(handle);
      const before = Date.now();
      await writeFile(apiKeyFile, KEY);
      expect(await handle.result()).toMatchObject({ sessions: 1 });
      expect(Date.now() - before).toBeLessThan(30_000);
    }));

  it('continues when its key command prints a token again', () =>
    withSystem(async (system) => {
      const token = join(system.directory, 'token');
      await startWorker(system, { apiKeyCommand: ['cat', token] });
      const handle = await startUpload(system);
      await toWait(handle);
      expect((await handle.status()).waiting?.reason).toContain('its apiKeyCommand (cat) exited with status 1');
      await writeFile(token, JSON.stringify({ accessToken: KEY, expires_in: 3600 }));
      expect(await handle.result()).toMatchObject({ sessions: 1 });
    }));
});

describe('a command that is run again', () => {
  it('retries immediately if the key was rejected, and reports an option that is not in effect', () =>
    withSystem(async (system) => {
      const { api, directory } = system;
      const file = join(directory, 'again.bin');
      await randomFile(file, 3 * MiB);
      const upload = (limit: string) =>
        beginCli(
          ['upload', file, '--purpose', purpose, '--part-size', '1MiB', '--heartbeat-timeout', '2s', '--limit', limit],
          system.embedded,
        );
      api.faults.add({ route: 'part', kind: 'status', status: 401, skip: 1, count: 1000 });
      const first = upload('20MiB');
      await until(
        () => first.stderr().includes('401'),
        () => `the upload to wait: ${first.stderr()}`,
      );
      first.interrupt();
      await first.ended;
      api.faults.clear();
      const { code, stderr } = await upload('30MiB').ended;
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(
        /: --limit 30MiB\/s is not in effect: this upload keeps --limit 20MiB\/s\. Use "longhaul retune longhaul-again\.bin-\w+ --limit 30MiB\/s"\./,
      );
      expect(stderr).toContain('started by an earlier command');
    }));

  it('prints the command that changes an option, and options that are not in effect, also for a sync', () =>
    withSystem(
      async (system) => {
        const { environment, directory, client, taskQueue } = system;
        await system.startWorker();
        const file = join(directory, 'data', 'slow.bin');
        await mkdir(join(directory, 'data'));
        await randomFile(file, 4 * MiB);
        const id = `options-${taskQueue}`;
        const upload = async (...args: string[]) => {
          const fixed = ['--purpose', purpose, '--part-size', '1MiB', '--id', id];
          return runCli(['upload', file, ...fixed, ...args], environment);
        };
        const started = await upload('--concurrency', '2', '--detach', '--quiet');
        expect(started).toMatchObject({ code: 0, stderr: '' });
        const other = await upload('--concurrency', '3', '--max-sessions', '5', '--detach', '--quiet');
        const [, ...command] = /"(longhaul retune .*)"/.exec(other.stderr)?.[1]?.split(' ') ?? [];
        expect(command).toEqual(['retune', id, '--concurrency', '3']);
        expect(other.stderr).toContain(`${id}: --max-sessions 5 is not in effect: this upload keeps --max-sessions 3.`);
        expect(await runCli(command, environment)).toMatchObject({ code: 0 });
        const same = await upload('--concurrency', '3', '--detach', '--quiet');
        expect(same).toMatchObject({ code: 0, stderr: '' });

        const folder = join(directory, 'data');
        const sync = await client.sync({ folder, purpose, id: `${id}-sync` });
        const args = ['sync', folder, '--purpose', purpose, '--id', `${id}-sync`, '--limit', '1MiB/s', '--json'];
        const refused = await runCli(args, environment);
        expect(refused.stderr).toContain('--limit 1MiB/s is not in effect: this sync keeps --limit none.');
        expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'JobIdTaken' } });
        expect(refused.code).toBe(2);

        system.api.configure({ bandwidthBytesPerSecond: null });
        await Promise.all([client.getHandle(id).result(), sync.result()]);
        const completed = await upload('--expires-after', '1h', '--quiet');
        expect(completed.stderr).toContain('--expires-after 1h is not in effect: the File keeps the default.');
        expect(completed.code).toBe(0);
      },
      { bandwidthBytesPerSecond: MiB / 4 },
    ));
});
