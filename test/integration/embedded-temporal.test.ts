import { once } from 'node:events';
import { access, chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { expect, test, vi } from 'vitest';
import {
  acquireEmbeddedTemporal,
  type EmbeddedTemporal,
  type EmbeddedTemporalOptions,
} from '../../src/dev/server/join.ts';
import { EmbeddedTemporalError } from '../../src/dev/server/embedded-temporal-error.ts';
import { identifyProcess } from '../../src/dev/server/process-identity.ts';
import { statePaths } from '../../src/dev/server/state-files.ts';
import { ConfigError } from '../../src/errors.ts';
import { withStateDir } from '../support/state-dir.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { startTemporalUser } from '../support/temporal-user-process.ts';

const soon = { timeout: 30_000, interval: 25 };

async function acquire(stateDir: string, options: Partial<EmbeddedTemporalOptions> = {}): Promise<EmbeddedTemporal> {
  return acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, ...options });
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

const lives = (pid: number) => identifyProcess(pid) !== null;

async function killServer(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await vi.waitUntil(() => !lives(pid), soon);
}

async function startWorkflow(address: string, workflowId: string): Promise<void> {
  await withConnection(address, async (connection) => {
    await new Client({ connection }).workflow.start('none', { workflowId, taskQueue: 'nobody-polls' });
  });
}

async function workflowStatus(address: string, workflowId: string): Promise<string> {
  return withConnection(
    address,
    async (connection) => (await new Client({ connection }).workflow.getHandle(workflowId).describe()).status.name,
  );
}

/** A Temporal CLI that runs `lines` of shell before it becomes the real one. */
async function writeFakeCli(stateDir: string, lines: string): Promise<string> {
  const path = join(stateDir, 'fake-temporal');
  await writeFile(path, `#!/bin/sh\n${lines}\nexec "${(await temporalCliForTests()).path}" "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

test('the server answers over gRPC and serves the UI, and ends with its only user', async () => {
  await withStateDir(async (stateDir) => {
    const temporal = await acquire(stateDir);
    expect(temporal).toMatchObject({ started: true, namespace: 'default' });
    expect(temporal.address).toMatch(/^127\.0\.0\.1:\d+$/);
    await startWorkflow(temporal.address, 'first');
    expect((await fetch(temporal.uiUrl)).status).toBe(200);
    const { pid } = temporal;
    await Promise.all([temporal.release(), temporal.release()]);
    await temporal.release();
    expect(lives(pid)).toBe(false);
    await expect(access(statePaths(stateDir).record)).rejects.toThrow('ENOENT');
  });
});

test('the namespace keeps closed workflows for 30 days or longer', async () => {
  await withStateDir(async (stateDir) => {
    await withTemporal(stateDir, async ({ address }) => {
      const { config } = await withConnection(address, async ({ workflowService }) =>
        workflowService.describeNamespace({ namespace: 'default' }),
      );
      expect(tsToMs(config?.workflowExecutionRetentionTtl)).toBeGreaterThanOrEqual(30 * 24 * 3600 * 1000);
    });
  });
});

test('two uses in one process share a server, and the ports stay the same the next time', async () => {
  await withStateDir(async (stateDir) => {
    const first = await acquire(stateDir);
    const second = await acquire(stateDir, {
      cli: async () => Promise.reject(new Error('asked for')),
      searchAttributes: { OfAnotherVersion: 'Keyword' },
    });
    expect([first.started, second.started]).toEqual([true, false]);
    expect(second.pid).toBe(first.pid);
    await first.release();
    expect(lives(second.pid)).toBe(true);
    await withConnection(second.address, async ({ operatorService }) => {
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace: 'default' });
      expect(customAttributes).toHaveProperty('OfAnotherVersion');
      expect(customAttributes).toHaveProperty('LonghaulState');
    });
    await second.release();
    expect(lives(second.pid)).toBe(false);
    await withTemporal(stateDir, async (third) => {
      expect([third.address, third.uiUrl]).toEqual([first.address, first.uiUrl]);
    });
  });
});

test('two commands that start at once share one server, which ends after the last of them', async () => {
  await withStateDir(async (stateDir) => {
    const [one, other] = await Promise.all([startTemporalUser(stateDir), startTemporalUser(stateDir)]);
    expect(one.serverPid).toBe(other.serverPid);
    expect([one.started, other.started].filter(Boolean)).toHaveLength(1);
    const [starter, sharer] = one.started ? [one, other] : [other, one];
    expect(await starter.finish()).toBe(0);
    expect(lives(one.serverPid)).toBe(true);
    expect(await sharer.finish()).toBe(0);
    expect(lives(one.serverPid)).toBe(false);
  });
});

test('a server whose command was killed is taken over by the next one and ends with it', async () => {
  await withStateDir(async (stateDir) => {
    const killed = await startTemporalUser(stateDir);
    const closed = once(killed.pipe.resume(), 'close');
    await killed.kill();
    // The program that writes into a pipe of the command ends with the command.
    await closed;
    expect(lives(killed.serverPid)).toBe(true);
    await withTemporal(stateDir, async (temporal) => {
      expect(temporal).toMatchObject({ pid: killed.serverPid, address: killed.address, started: false });
    });
    expect(lives(killed.serverPid)).toBe(false);
  });
});

test('a server that runs without a record is found by its database file, so that there are never two on one file', async () => {
  await withStateDir(async (stateDir) => {
    const killed = await startTemporalUser(stateDir);
    await killed.kill();
    await rm(statePaths(stateDir).record);
    await withTemporal(stateDir, async (temporal) => {
      expect(temporal).toMatchObject({ pid: killed.serverPid, address: killed.address, started: false });
    });
  });
});

test('a stale record is noticed, and the new server still has the workflows of before', async () => {
  await withStateDir(async (stateDir) => {
    const killed = await startTemporalUser(stateDir);
    await startWorkflow(killed.address, 'kept');
    await killed.kill();
    await killServer(killed.serverPid);
    await withTemporal(stateDir, async (temporal) => {
      expect(temporal.started).toBe(true);
      expect(await workflowStatus(temporal.address, 'kept')).toBe('RUNNING');
    });
  });
});

test('another process under the recorded pid is neither taken for the server nor ended', async () => {
  await withStateDir(async (stateDir) => {
    const killed = await startTemporalUser(stateDir);
    await killed.kill();
    await killServer(killed.serverPid);
    const { record } = statePaths(stateDir);
    const content = JSON.parse(await readFile(record, 'utf8')) as Record<string, unknown>;
    await writeFile(record, JSON.stringify({ ...content, pid: process.pid }));
    await withTemporal(stateDir, async (temporal) => {
      expect(temporal.started).toBe(true);
      expect(temporal.pid).not.toBe(process.pid);
    });
  });
});

test('a recorded server that no longer answers is ended and replaced', async () => {
  await withStateDir(async (stateDir) => {
    const killed = await startTemporalUser(stateDir);
    await killed.kill();
    process.kill(killed.serverPid, 'SIGSTOP');
    const temporal = await acquire(stateDir, { readyTimeoutMs: 3_000 });
    try {
      expect(temporal.started).toBe(true);
      expect(lives(killed.serverPid)).toBe(false);
    } finally {
      await temporal.release();
    }
  });
});

test('a server that is killed in use is restarted once, where it was, and open connections work again', async () => {
  await withStateDir(async (stateDir) => {
    const other = await startTemporalUser(stateDir);
    const lines: string[] = [];
    const temporal = await acquire(stateDir, { log: (line) => lines.push(line) });
    try {
      await withConnection(temporal.address, async (connection) => {
        const { workflow } = new Client({ connection });
        await workflow.start('none', { workflowId: 'kept', taskQueue: 'nobody-polls' });
        const { address, pid } = temporal;
        await killServer(pid);
        await vi.waitUntil(() => temporal.pid !== pid, soon);
        expect(temporal.address).toBe(address);
        const status = await vi.waitFor(async () => (await workflow.getHandle('kept').describe()).status.name, soon);
        expect(status).toBe('RUNNING');
      });
      expect(lines.join('\n')).toMatch(/died; restarting it\n.*runs again at/);
      expect(await other.finish()).toBe(0);
      expect(lives(temporal.pid)).toBe(true);
    } finally {
      await temporal.release();
    }
    expect(lives(temporal.pid)).toBe(false);
  });
});

test('a server that keeps dying is given up after five restarts within a minute', async () => {
  await withStateDir(async (stateDir) => {
    const lines: string[] = [];
    const temporal = await acquire(stateDir, { log: (line) => lines.push(line) });
    let kills = 0;
    const gaveUp = () => lines.some((line) => line.startsWith('gave up'));
    while (!gaveUp()) {
      const { pid } = temporal;
      await killServer(pid);
      kills += 1;
      await vi.waitUntil(() => temporal.pid !== pid || gaveUp(), soon);
    }
    expect(kills).toBe(6);
    await temporal.release();
  });
});

test('a release after the server has died does not throw', async () => {
  await withStateDir(async (stateDir) => {
    const temporal = await acquire(stateDir);
    process.kill(temporal.pid, 'SIGKILL');
    await temporal.release();
    expect(lives(temporal.pid)).toBe(false);
  });
});

test('a port that was taken in between costs another try', async () => {
  await withStateDir(async (stateDir) => {
    const path = await writeFakeCli(
      stateDir,
      'case "$*" in *--port*) if ! [ -e tried ]; then touch tried; echo "bind: address already in use"; exit 1; fi;; esac',
    );
    const temporal = await acquire(stateDir, { cli: async () => Promise.resolve({ path }) });
    await temporal.release();
    await access(join(stateDir, 'tried'));
  });
});

test('a database whose making was cut off is made anew by the next start', async () => {
  await withStateDir(async (stateDir) => {
    const path = await writeFakeCli(stateDir, 'case "$*" in *--port*) : > temporal.db; exit 1;; esac');
    const attempt = acquire(stateDir, { cli: async () => Promise.resolve({ path }) });
    await expect(attempt).rejects.toThrow('did not start: it ended');
    await withTemporal(stateDir, async ({ address }) => startWorkflow(address, 'kept'));
    await withTemporal(stateDir, async ({ address }) => {
      expect(await workflowStatus(address, 'kept')).toBe('RUNNING');
    });
  });
});

test('a server that does not start is an error with the last lines of its log', async () => {
  await withStateDir(async (stateDir) => {
    const path = await writeFakeCli(stateDir, 'case "$*" in *--port*) echo "schema is from the future"; exit 1;; esac');
    const attempt = acquire(stateDir, { cli: async () => Promise.resolve({ path }) });
    await expect(attempt).rejects.toThrow(/did not start: it ended[^]*schema is from the future/);
    await expect(attempt).rejects.toBeInstanceOf(EmbeddedTemporalError);
    await expect(access(statePaths(stateDir).record)).rejects.toThrow('ENOENT');
  });
});

test('a state directory whose path the server cannot open is refused', async () => {
  await withStateDir(async (stateDir) => {
    await expect(acquire(join(stateDir, '100%'))).rejects.toBeInstanceOf(ConfigError);
  });
});
