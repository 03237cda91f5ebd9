import { execFileSync, spawnSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { statePaths } from '../../src/dev/server/state-files.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { withStateDir } from '../support/state-dir.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';

const acquire = (stateDir: string) => acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests });
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Other processes, as in a container that shares the state directory. */
const container = ['--pid', '--fork', '--mount-proc', '--kill-child'];
/** Also another loopback address. */
const withNetwork = [...container, '--net', '--', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];

const canMakeContainers = spawnSync('unshare', [...withNetwork, 'true']).status === 0;

function runIn(command: readonly string[], stateDir: string) {
  return spawnSync('unshare', [...command, process.execPath, main, 'list'], {
    encoding: 'utf8',
    env: cleanEnvironment({ LONGHAUL_STATE_DIR: stateDir }),
  });
}

const inUse = /^longhaul: another Temporal server uses the database in .*\. Set TEMPORAL_ADDRESS to .*directory\.\n$/;

it.skipIf(!canMakeContainers)(
  'rejects a second server on the database of another container, and takes it over later',
  () =>
    withStateDir(async (stateDir) => {
      const { record, leases } = statePaths(stateDir);
      const first = await acquire(stateDir);
      try {
        const state = async () => [await readFile(record, 'utf8'), await readdir(leases)];
        const before = await state();
        for (const command of [container, withNetwork]) {
          const second = runIn(command, stateDir);
          expect(second).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(inUse) });
        }
        expect(await state()).toEqual(before);
        const sameHost = await acquire(stateDir);
        expect(sameHost).toMatchObject({ started: false, pid: first.pid });
        await sameHost.release();
      } finally {
        await first.release();
      }
      // The first container has ended, and left its files.
      expect(runIn(container, stateDir)).toMatchObject({ status: 0 });
      const next = await acquire(stateDir);
      expect(next.started).toBe(true);
      await next.release();
    }),
);

const canEdit = spawnSync('python3', ['-c', 'import sqlite3']).status === 0;

it.skipIf(!canEdit)('rejects a database that lacks a column, as that of an older Temporal CLI does, and keeps it', () =>
  withStateDir(async (stateDir) => {
    await (await acquire(stateDir)).release();
    const { database } = statePaths(stateDir);
    const rename = (from: string, to: string) => {
      const statement = `alter table executions_visibility rename column ${from} to ${to}`;
      const script = `import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()`;
      execFileSync('python3', ['-c', script, database, statement]);
    };
    rename('TemporalLowCardinalityKeyword01', 'Renamed');
    await expect(acquire(stateDir)).rejects.toThrow(
      /^another version of the Temporal CLI created the database in .*no such column.*\. Set LONGHAUL_TEMPORAL_CLI to/,
    );
    rename('Renamed', 'TemporalLowCardinalityKeyword01');
    const again = await acquire(stateDir);
    expect(again.started).toBe(true);
    await again.release();
  }),
);
