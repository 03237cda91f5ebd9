import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';

const PARTS = 24;
const uploadArguments = ['--purpose', 'batch', '--part-size', '1MiB', '--concurrency', '4', '--json'];
/** Slow enough that a kill hits the middle. */
const limits = { bandwidthBytesPerSecond: 6 * MiB };

/** Environment of a user without a Temporal of his own, on a machine with that host name. */
async function onHost({ api, directory }: System, name: string): Promise<Record<string, string>> {
  const module = join(directory, `host-${name}.mjs`);
  await writeFile(
    module,
    `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
os.hostname = () => ${JSON.stringify(name)}; syncBuiltinESMExports();`,
  );
  return {
    OPENAI_BASE_URL: api.url,
    OPENAI_API_KEY: 'sk-test-canary-0451',
    LONGHAUL_STATE_DIR: join(directory, 'state'),
    NODE_OPTIONS: `--import=${module}`,
  };
}

describe('a machine whose host name changes', () => {
  for (const earlierVersion of [false, true]) {
    const stored = earlierVersion ? 'in a state directory of an earlier version' : 'in a state directory with a name';
    it(`continues the upload from the recorded parts, ${stored}`, () =>
      withSystem(async (system) => {
        const file = join(system.directory, 'renamed.bin');
        const content = await randomFile(file, PARTS * MiB);
        const first = startCli(['upload', file, ...uploadArguments], await onHost(system, 'before'));
        await partsReceived(system, PARTS / 3);
        first.child.kill('SIGKILL');
        await first.ended;
        const identity = join(system.directory, 'state', 'host.json');
        expect(JSON.parse(await readFile(identity, 'utf8'))).toEqual({ host: 'before', earlier: [] });
        if (earlierVersion) await rm(identity);

        const second = await runCli(['upload', file, ...uploadArguments], await onHost(system, 'after'));
        expect(second.code, second.stderr).toBe(0);
        expect(JSON.parse(second.stdout)).toMatchObject({ resumed: true, parts: PARTS, md5: md5(content) });
        expect(system.uploads()).toMatchObject([{ status: 'completed', completions: 1 }]);
        expect(system.api.stats().totals.partsBegun).toBeLessThanOrEqual(PARTS + 4);
        expect(JSON.parse(await readFile(identity, 'utf8'))).toMatchObject({ host: 'before' });
      }, limits));
  }

  it('stores one name when several commands start at the same time', () =>
    withSystem(async (system) => {
      const runs = await Promise.all(
        ['one', 'two', 'three'].map(async (name) => {
          const file = join(system.directory, `${name}.bin`);
          await randomFile(file, MiB);
          return runCli(['upload', file, ...uploadArguments], await onHost(system, name));
        }),
      );
      for (const { code, stderr } of runs) expect(code, stderr).toBe(0);
      const state = await readdir(join(system.directory, 'state'));
      expect(state.filter((name) => name.startsWith('host.json'))).toEqual(['host.json']);
    }));
});

describe('a host without a worker', () => {
  it('is reported to the client within seconds, and the upload goes on when its worker starts', () =>
    withSystem(async (system) => {
      const { LonghaulClient } = await import('longhaul');
      await system.startWorker({ host: 'present' });
      const file = join(system.directory, 'gone.bin');
      await randomFile(file, 2 * MiB);
      const gone = new LonghaulClient(system.client.client, { taskQueue: system.taskQueue, host: 'gone' });
      const handle = await gone.upload({ file, purpose: 'batch', partSizeBytes: MiB });
      const startedMs = Date.now();
      for await (const event of handle.progress({ signal: AbortSignal.timeout(20_000) })) {
        if (event.type !== 'no-answer') continue;
        expect(event.reason).toContain('no worker of host gone polls');
        break;
      }
      expect(Date.now() - startedMs).toBeLessThan(10_000);
      expect((await handle.status()).unpolled).toMatchObject({ host: 'gone' });
      await system.startWorker({ host: 'gone' });
      expect((await handle.result()).partsSent).toBe(2);
    }));
});
