import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import {
  readServerRecord,
  statePaths,
  writeServerRecord,
  type ServerRecord,
} from '../../src/dev/server/state-files.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { serverProcesses, withStateDir } from '../support/state-dir.ts';
import { namedTemporalCli, temporalCliForTests } from '../support/temporal-cli.ts';
import { until } from '../support/until.ts';

const acquire = (stateDir: string) => acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0 });
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Other processes, as in a container that shares the state directory. */
const container = ['--pid', '--fork', '--mount-proc', '--kill-child'];
/** Also another loopback address. */
const withNetwork = [...container, '--net', '--', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];

const canMakeContainers = spawnSync('unshare', [...withNetwork, 'true']).status === 0;

async function listIn(command: readonly string[], stateDir: string) {
  const { path } = await namedTemporalCli();
  return spawnSync('unshare', [...command, process.execPath, main, 'list'], {
    encoding: 'utf8',
    env: cleanEnvironment({ LONGHAUL_STATE_DIR: stateDir, LONGHAUL_TEMPORAL_CLI: path }),
  });
}

describe.skipIf(!canMakeContainers)('a state directory that containers share', () => {
  it('has one server, which other containers use if they share its network, or report otherwise', () =>
    withStateDir(async (stateDir) => {
      const first = await acquire(stateDir);
      try {
        expect(await listIn(container, stateDir)).toMatchObject({ status: 0 });
        const other = await listIn(withNetwork, stateDir);
        const line = /^longhaul: the Temporal server of .* runs in another container.* Set TEMPORAL_ADDRESS to .*\.\n$/;
        expect(other).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(line) });
        expect(serverProcesses(stateDir)).toHaveLength(1);
      } finally {
        await first.release();
      }
      // The server of a container that was stopped leaves its files.
      expect(await listIn(withNetwork, stateDir)).toMatchObject({ status: 0 });
    }));

  it('rejects a second server on the database if the first one cannot be found', () =>
    withStateDir(async (stateDir) => {
      const { path } = await namedTemporalCli();
      const { database } = statePaths(stateDir);
      const start = ['server', 'start-dev', '--headless', '--port', '7233', '--db-filename', database];
      const pragma = ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'locking_mode=exclusive'];
      const first = spawn('unshare', [...withNetwork, path, ...start, ...pragma], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      try {
        let output = '';
        first.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        await until(() => output.includes('Server'), 'Temporal to start');
        // From here, only the lock of the database shows the first server.
        const second = await listIn(container, stateDir);
        const line =
          /^longhaul: another Temporal server uses the database in .*\. Set TEMPORAL_ADDRESS to .*directory\.\n$/;
        expect(second).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(line) });
      } finally {
        first.kill('SIGKILL');
        await once(first, 'exit');
      }
    }));
});

const canEdit = spawnSync('python3', ['-c', 'import sqlite3']).status === 0;

it.skipIf(!canEdit)('a database without a column, as that of an older Temporal CLI, is rejected and kept', () =>
  withStateDir(async (stateDir) => {
    await (await acquire(stateDir)).release();
    const { database } = statePaths(stateDir);
    const rename = (from: string, to: string) => {
      const statement = `alter table executions_visibility rename column ${from} to ${to}`;
      const script = `import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()`;
      execFileSync('python3', ['-c', script, database, statement]);
    };
    rename('TemporalLowCardinalityKeyword01', 'Renamed');
    const record = readServerRecord(stateDir) as ServerRecord;
    expect(record.temporalCli).toBe((await temporalCliForTests()).version);
    writeServerRecord(stateDir, { ...record, temporalCli: '1.5.1' });
    await expect(acquire(stateDir)).rejects.toThrow(
      /^Temporal CLI \d\S+ cannot read the database in .*, which version 1\.5\.1 created \(no such column.*\)\. Set LONGHAUL_TEMPORAL_CLI to/,
    );
    // A version that can read it is used instead, and a line reports this.
    const lines: string[] = [];
    const cliOfVersion = async (version: string) => {
      expect(version).toBe('1.5.1');
      rename('Renamed', 'TemporalLowCardinalityKeyword01');
      return temporalCliForTests();
    };
    const log = (line: string) => lines.push(line);
    const temporal = await acquireEmbeddedTemporal({
      stateDir,
      cli: temporalCliForTests,
      lingerMs: 0,
      cliOfVersion,
      log,
    });
    expect(lines).toEqual([
      expect.stringContaining('the database requires Temporal CLI 1.5.1, which created it. Using /'),
    ]);
    await temporal.release();
  }),
);
