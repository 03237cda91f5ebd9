import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { withFileLock } from '../../src/dev/server/file-lock.ts';

const script = fileURLToPath(new URL('../support/lock-user.ts', import.meta.url));

function startLockUser(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function withHolder(body: (directory: string, holder: ChildProcess) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-lock-'));
  const holder = startLockUser(directory, 'hold');
  const ended = once(holder, 'exit');
  try {
    if (holder.stdout !== null) await once(holder.stdout, 'data');
    await body(directory, holder);
  } finally {
    holder.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true, force: true });
  }
}

test('a lock that another process holds is not given away, and the error names that process', async () => {
  await withHolder(async (directory, holder) => {
    const attempt = withFileLock(join(directory, 'lock'), async () => Promise.resolve(), { timeoutMs: 200 });
    await expect(attempt).rejects.toThrow(`process ${holder.pid}`);
  });
});

test('processes that all find the lock of a killed one still enter one at a time', async () => {
  await withHolder(async (directory, holder) => {
    await writeFile(join(directory, 'counter'), '0');
    const ended = once(holder, 'exit');
    const counters = Array.from({ length: 4 }, () => startLockUser(directory, 'count', '25'));
    const exiting = counters.map(async (child) => once(child, 'exit'));
    try {
      await Promise.all(counters.map(async ({ stdout }) => stdout && once(stdout, 'data')));
      holder.kill('SIGKILL');
      await ended;
      expect((await Promise.all(exiting)).map(([code]) => code as number)).toEqual([0, 0, 0, 0]);
    } finally {
      for (const child of counters) child.kill('SIGKILL');
    }
    expect(await readFile(join(directory, 'counter'), 'utf8')).toBe('100');
  });
});
