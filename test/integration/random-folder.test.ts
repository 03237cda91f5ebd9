import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pMap from 'p-map';
import type { SyncProblem } from 'longhaul/types';
import { expect, it } from 'vitest';
import { syncFileName } from '../../src/core/sync/file-name.ts';
import { startCli } from '../support/cli.ts';
import { makeRandomFolder, type Fate } from '../support/random-folder.ts';
import { filesAt, runSync } from '../support/sync-folder.ts';
import { withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'assistants';
/** `RANDOM_FOLDER_ENTRIES=2000` for the long way. `RANDOM_FOLDER_SEED=7` repeats a run. */
const entries = Number(process.env['RANDOM_FOLDER_ENTRIES'] ?? 200);
const seed = Number(process.env['RANDOM_FOLDER_SEED'] ?? Date.now() % 1_000_000);

/** Root can read every file: the worker then is another user, if that one can read the code. */
const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65_534, gid: 65_534 };
const code = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const canBeNobody = isRoot && spawnSync('test', ['-r', code], nobody).status === 0;

function pathsOf(problems: readonly SyncProblem[] = []): string[] {
  return problems.map(({ path }) => path).toSorted();
}

it(`a sync of ${entries} random entries sends all that can be a File, and reports the others (RANDOM_FOLDER_SEED=${seed})`, () =>
  withSystem(async (system) => {
    const root = join(system.directory, 'data');
    await mkdir(root);
    await chmod(system.directory, 0o755);
    const { fates, exclude, grow } = await makeRandomFolder(
      root,
      { seed, entries },
      isRoot && !canBeNobody ? ['unreadable'] : [],
    );
    const of = <Is extends Fate['is']>(is: Is) =>
      fates.filter((one): one is [string, Extract<Fate, { is: Is }>] => one[1].is === is);
    const stateDir = join(system.directory, 'worker');
    await mkdir(stateDir);
    if (canBeNobody) await chown(stateDir, nobody.uid, nobody.gid);
    const environment = { ...system.environment, LONGHAUL_STATE_DIR: stateDir, HOME: stateDir };
    const worker = startCli(['worker'], environment, 'ignore', canBeNobody ? nobody : undefined);
    await until(
      () => worker.said().includes('worker on ') || worker.child.exitCode !== null,
      () => `the worker to poll: ${worker.said()}`,
    );
    expect(worker.child.exitCode, worker.said()).toBeNull();
    const sync = { folder: root, purpose, exclude, maxConcurrentUploads: 16 };

    const stop = grow();
    const first = await runSync(system, sync).finally(stop);
    const files = new Map(of('File').map(([path, { content }]) => [syncFileName('', path), content]));
    expect(first.counts).toMatchObject({
      sent: { files: files.size },
      failed: of('problem').length,
      leftOut: of('leftOut').length,
      postponed: of('growing').length,
    });
    const sent = await filesAt(system);
    expect([...sent.keys()].toSorted()).toEqual([...files.keys()].toSorted());
    await pMap(
      sent,
      async ([name, ids]) => {
        expect(ids, name).toHaveLength(1);
        expect((await system.download(ids[0] as string)).equals(files.get(name) as Buffer), name).toBe(true);
      },
      { concurrency: 8 },
    );
    expect(pathsOf(first.postponed)).toEqual(
      of('growing')
        .map(([path]) => path)
        .toSorted(),
    );
    for (const is of ['problem', 'leftOut'] as const) {
      const reported = is === 'problem' ? first.problems : first.leftOut;
      expect(pathsOf(reported)).toEqual(
        of(is)
          .map(([path]) => path)
          .toSorted(),
      );
      for (const [path, { reason }] of of(is)) {
        expect(reported.find((one) => one.path === path)?.message, path).toMatch(reason);
      }
    }

    const second = await runSync(system, sync);
    expect(second.counts).toMatchObject({
      sent: { files: of('growing').length },
      same: files.size,
      failed: of('problem').length,
      leftOut: of('leftOut').length,
      postponed: 0,
    });
    const now = await filesAt(system);
    for (const [path] of of('growing')) {
      const [id = '', ...others] = now.get(syncFileName('', path)) ?? [];
      expect(others).toEqual([]);
      expect((await system.download(id)).equals(await readFile(join(root, path))), path).toBe(true);
    }
    worker.child.kill('SIGTERM');
    await worker.ended;
  }));
