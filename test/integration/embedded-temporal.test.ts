import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { access, chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { describe, expect, it } from 'vitest';
import { EmbeddedTemporalError } from '../../src/dev/server/errors.ts';
import {
  acquireEmbeddedTemporal,
  type EmbeddedTemporal,
  type EmbeddedTemporalOptions,
} from '../../src/dev/server/join.ts';
import { readServerRecord, statePaths } from '../../src/dev/server/state-files.ts';
import { ConfigError } from '../../src/errors.ts';
import { findTemporal, serverProcesses, withStateDir } from '../support/state-dir.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { startTemporalUser } from '../support/temporal-user-process.ts';
import { until } from '../support/until.ts';

async function acquire(stateDir: string, options: Partial<EmbeddedTemporalOptions> = {}): Promise<EmbeddedTemporal> {
  return acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0, ...options });
}

async function withTemporal<T>(stateDir: string, body: (temporal: EmbeddedTemporal) => Promise<T>): Promise<T> {
  const temporal = await acquire(stateDir);
  try {
    return await body(temporal);
  } finally {
    await temporal.release();
  }
}

async function withConnection<T>(address: string, body: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await body(connection);
  } finally {
    await connection.close();
  }
}

const startWorkflow = (address: string, workflowId: string) =>
  withConnection(address, async (connection) => {
    await new Client({ connection }).workflow.start('none', { workflowId, taskQueue: 'not-polled' });
  });

const workflowStatus = (address: string, workflowId: string) =>
  withConnection(
    address,
    async (connection) => (await new Client({ connection }).workflow.getHandle(workflowId).describe()).status.name,
  );

/** A Temporal CLI that runs `lines` of shell before the real one. */
async function fakeCli(stateDir: string, lines: string): Promise<Partial<EmbeddedTemporalOptions>> {
  const path = join(stateDir, 'fake-temporal');
  const real = await temporalCliForTests();
  await writeFile(path, `#!/bin/sh\n${lines}\nexec "${real.path}" "$@"\n`);
  await chmod(path, 0o755);
  return { cli: async () => Promise.resolve({ ...real, path }) };
}

const socketsOf = async (stateDir: string) => (await readdir(stateDir)).filter((name) => name.endsWith('.sock'));

describe('the server of a state directory', () => {
  it('is shared by commands that start at the same time, and stops after the last one, with its ports and workflows kept', () =>
    withStateDir(async (stateDir) => {
      const commands = await Promise.all(Array.from({ length: 6 }, () => acquire(stateDir)));
      const [first] = commands as [EmbeddedTemporal];
      expect(new Set(commands.map(({ pid }) => pid))).toEqual(new Set([first.pid]));
      // Each command started a server process. Those that found another one can exit after it is ready.
      await until(() => serverProcesses(stateDir).length === 1, 'the other server processes to exit');
      expect(await socketsOf(stateDir)).toHaveLength(1);
      expect(first.address).toMatch(/^127\.0\.0\.1:\d+$/);
      expect((await fetch(first.uiUrl)).status).toBe(200);
      await startWorkflow(first.address, 'kept');
      await withConnection(first.address, async ({ workflowService, operatorService }) => {
        const { config } = await workflowService.describeNamespace({ namespace: 'default' });
        expect(tsToMs(config?.workflowExecutionRetentionTtl)).toBe(90 * 24 * 3600 * 1000);
        const { customAttributes } = await operatorService.listSearchAttributes({ namespace: 'default' });
        expect(customAttributes).toMatchObject({ LonghaulState: 2, LonghaulFilename: 2 });
      });
      await Promise.all(commands.slice(1).map((one) => one.release()));
      expect(findTemporal(stateDir)).toBe(first.pid);
      await Promise.all([first.release(), first.release()]);
      expect([findTemporal(stateDir), ...serverProcesses(stateDir)]).toEqual([undefined]);
      expect(await socketsOf(stateDir)).toEqual([]);

      await withTemporal(stateDir, async (next) => {
        expect([next.address, next.uiUrl]).toEqual([first.address, first.uiUrl]);
        expect(await workflowStatus(next.address, 'kept')).toBe('RUNNING');
      });
    }));

  it('keeps running for a while after SIGKILL of the last command, then stops', () =>
    withStateDir(async (stateDir) => {
      const killed = await startTemporalUser(stateDir, 60_000);
      const closed = once(killed.pipe.resume(), 'close');
      await killed.kill();
      // The program that writes into a pipe of the command exits with the command.
      await closed;
      const next = await acquire(stateDir, { lingerMs: 1_000 });
      expect(next.pid).toBe(killed.serverPid);
      const releasedAtMs = Date.now();
      await next.release();
      expect(findTemporal(stateDir)).toBe(next.pid);
      await until(() => findTemporal(stateDir) === undefined, 'the server to stop');
      expect(Date.now() - releasedAtMs).toBeGreaterThan(900);
    }));

  it('restarts Temporal after SIGKILL at the same address, at most five times per minute', () =>
    withStateDir(async (stateDir) => {
      const lines: string[] = [];
      const temporal = await acquire(stateDir, { log: (line) => lines.push(line) });
      const { address } = temporal;
      const gaveUp = () => lines.some((line) => line.includes('exited 6 times within a minute'));
      await withConnection(address, async (connection) => {
        const { workflow } = new Client({ connection });
        await workflow.start('none', { workflowId: 'kept', taskQueue: 'not-polled' });
        for (let kills = 1; kills <= 6; kills += 1) {
          const { pid } = temporal;
          process.kill(pid, 'SIGKILL');
          await until(() => temporal.pid !== pid || gaveUp(), 'Temporal to be restarted');
          expect(gaveUp()).toBe(kills === 6);
          expect(temporal.address).toBe(address);
          if (kills > 1) continue;
          await until(
            async () =>
              (await workflow
                .getHandle('kept')
                .describe()
                .catch(() => undefined)) !== undefined,
            'the open connection to work again',
          );
        }
      });
      expect(lines.slice(0, 2)).toEqual([
        expect.stringMatching(/^the Temporal server \(process \d+\) exited\. Restarting it\.$/),
        expect.stringMatching(/^restarted the Temporal server at 127\.0\.0\.1:\d+ \(process \d+\)$/),
      ]);
      await temporal.release();
    }));

  it('is replaced after SIGKILL of the server process: one new server, at the same address', () =>
    withStateDir(async (stateDir) => {
      const commands = await Promise.all([1, 2, 3].map(() => acquire(stateDir)));
      const [first] = commands as [EmbeddedTemporal];
      const { address, pid } = first;
      await startWorkflow(address, 'kept');
      const [killed = 0] = serverProcesses(stateDir);
      process.kill(killed, 'SIGKILL');
      await until(() => commands.every((one) => one.pid !== pid), 'all commands to be connected to a new server');
      await until(() => serverProcesses(stateDir).length === 1, 'only one server to be left');
      expect(new Set(commands.map((one) => one.pid)).size).toBe(1);
      expect(first.address).toBe(address);
      expect(await workflowStatus(address, 'kept')).toBe('RUNNING');
      await until(async () => (await socketsOf(stateDir)).length === 1, 'the old name to be removed');
      await Promise.all(commands.map((one) => one.release()));
    }));

  it('recovers from SIGKILL of all processes, and removes stale sockets and a late Temporal process', () =>
    withStateDir(async (stateDir) => {
      const killed = await startTemporalUser(stateDir, 60_000);
      await startWorkflow(killed.address, 'kept');
      for (const pid of serverProcesses(stateDir)) process.kill(pid, 'SIGKILL');
      process.kill(killed.serverPid, 'SIGKILL');
      await killed.kill();
      const { database } = statePaths(stateDir);
      const late = spawn('/bin/sh', ['-c', 'read x', 'sh', 'start-dev', '--db-filename', database, 'x']);
      const lateExit = once(late, 'exit');
      await withTemporal(stateDir, async (next) => {
        expect(await workflowStatus(next.address, 'kept')).toBe('RUNNING');
        expect(await lateExit).toEqual([null, 'SIGKILL']);
        await until(async () => (await socketsOf(stateDir)).length === 1, 'the stale name to be removed');
      });
    }));

  it('does not restart Temporal in a state directory that was moved', () =>
    withStateDir(async (directory) => {
      const lines: string[] = [];
      const stateDir = join(directory, 'state');
      const temporal = await acquire(stateDir, { log: (line) => lines.push(line) });
      await rename(stateDir, join(directory, 'moved'));
      process.kill(temporal.pid, 'SIGKILL');
      await until(() => lines.length > 0, 'the failure of the server');
      expect(lines).toEqual([
        expect.stringMatching(/^the state directory .* was moved, deleted or replaced .*\. Trying again every 30 s\.$/),
      ]);
      await temporal.release();
      await until(() => serverProcesses(stateDir).length === 0, 'the server process to exit');
      expect(await readdir(directory)).toEqual(['moved']);
    }));

  it('works with a path that is too long for a socket, and stops Temporal behind a script', () =>
    withStateDir(async (stateDir) => {
      const long = join(stateDir, 'd'.repeat(120));
      const { path } = await temporalCliForTests();
      const first = await acquire(long, await fakeCli(stateDir, `"${path}" "$@"; exit $?`));
      expect(await socketsOf(long)).toEqual(['server.1.sock']);
      await withTemporal(long, async (second) => expect(second.pid).toBe(first.pid));
      await first.release();
      expect(await socketsOf(long)).toEqual([]);
      expect(findTemporal(long)).toBeUndefined();
    }));
});

describe('a start of the server', () => {
  it('fails while a command of an earlier version uses the database, and later adopts its state', () =>
    withStateDir(async (stateDir) => {
      const { earlierLeases, record } = statePaths(stateDir);
      const before = await acquire(stateDir, { lingerMs: 60_000 });
      await startWorkflow(before.address, 'kept');
      // As an earlier version leaves it: Temporal without a server process, and a file for each command.
      for (const pid of serverProcesses(stateDir)) process.kill(pid, 'SIGKILL');
      await before.release();
      await mkdir(earlierLeases, { mode: 0o700 });
      await writeFile(join(earlierLeases, `${process.pid}-0123abcd.json`), '{}');
      const inUse = `a command of an earlier version of Longhaul \\(process ${process.pid}\\) uses the database in .*\\. Wait until it exits, or stop it, then try again\\.$`;
      await expect(acquire(stateDir)).rejects.toThrow(new RegExp(inUse));
      expect(findTemporal(stateDir)).toBe(before.pid);

      await writeFile(join(stateDir, 'temporal-ports.json'), await readFile(record));
      await Promise.all([earlierLeases, record].map((path) => rm(path, { recursive: true })));
      await mkdir(earlierLeases, { mode: 0o700 });
      await writeFile(join(earlierLeases, '999999999-0123abcd.json'), '{}');
      await withTemporal(stateDir, async ({ address, pid }) => {
        expect(pid).not.toBe(before.pid);
        expect(address).toBe(before.address);
        expect(await workflowStatus(address, 'kept')).toBe('RUNNING');
        expect(await readdir(stateDir)).not.toContain('leases');
      });
    }));

  it('uses other ports if its ports are in use, and the same database', () =>
    withStateDir(async (stateDir) => {
      await withTemporal(stateDir, async ({ address }) => startWorkflow(address, 'kept'));
      const { port, address } = readServerRecord(stateDir) ?? {};
      const other = createServer().listen(port, '127.0.0.1');
      await once(other, 'listening');
      await withTemporal(stateDir, async (temporal) => {
        expect(temporal.address).not.toBe(address);
        expect(await workflowStatus(temporal.address, 'kept')).toBe('RUNNING');
      });
      other.close();
      // A port that is in use only at the first attempt costs a second one.
      const script = 'if ! [ -e tried ]; then touch tried; echo "bind: address already in use"; exit 1; fi';
      const temporal = await acquire(stateDir, await fakeCli(stateDir, script));
      await temporal.release();
      await access(join(stateDir, 'tried'));
    }));

  it('reports a failure with the last lines of the log, and creates an unfinished database again', () =>
    withStateDir(async (stateDir) => {
      const broken = await fakeCli(stateDir, ': > temporal.db; echo "schema is from the future"; exit 1');
      const attempt = acquire(stateDir, broken);
      await expect(attempt).rejects.toThrow(/did not start: it exited \(1\)\. [^]*schema is from the future/);
      await expect(attempt).rejects.toBeInstanceOf(EmbeddedTemporalError);
      expect(existsSync(statePaths(stateDir).record)).toBe(false);
      await withTemporal(stateDir, async ({ address }) => startWorkflow(address, 'kept'));
      const killed = await fakeCli(stateDir, 'if ! [ -e tried ]; then touch tried; kill -KILL $$; fi');
      const temporal = await acquire(stateDir, killed);
      expect(await workflowStatus(temporal.address, 'kept')).toBe('RUNNING');
      await temporal.release();
    }));

  it('is rejected in a directory whose path Temporal cannot open', () =>
    withStateDir(async (stateDir) => {
      await expect(acquire(join(stateDir, '100%'))).rejects.toBeInstanceOf(ConfigError);
    }));
});
