import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { identifyProcess, isAlive, isProbablyAlive, ownIdentity } from '../../../src/dev/process-identity.ts';

test('a process is known by its pid and start time for as long as it lives', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const identity = identifyProcess(child.pid ?? -1);
  if (identity === null) throw new Error('no identity');
  expect(isAlive(identity)).toBe(true);
  expect(isProbablyAlive(identity)).toBe(true);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  expect(isAlive(identity)).toBe(false);
  expect(isProbablyAlive(identity)).toBe(false);
});

test('a later process under the same pid is not taken for the earlier one', () => {
  expect(isAlive(ownIdentity())).toBe(true);
  expect(isAlive({ pid: process.pid, startTime: 'earlier' })).toBe(false);
  expect(isAlive({ pid: process.ppid, startTime: 'earlier' })).toBe(false);
});

test('a process that ended but was not waited for counts as dead', async () => {
  // The shell becomes a `sleep` that never asks for the child it inherits.
  const parent = spawn('sh', ['-c', 'sh -c "exit 0" & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
    await expect.poll(() => identifyProcess(Number(chunk.toString()))).toBeNull();
    expect(() => process.kill(Number(chunk.toString()), 0)).not.toThrow();
  } finally {
    const ended = once(parent, 'exit');
    parent.kill('SIGKILL');
    await ended;
  }
});
