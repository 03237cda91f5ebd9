import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { identifyProcess, isAlive, isProbablyAlive, ownIdentity } from '../../../src/dev/server/process-identity.ts';

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
  // A shell becomes a `sleep` that never asks for the child it inherits, which ends when our end of the pipe closes.
  const script = 'sh -c "read line" <&3 & echo $!; exec 3<&-; exec sleep 60';
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
  const output = parent.stdout;
  if (output === null) throw new Error('no pipe');
  const ended = once(parent, 'exit');
  try {
    const [chunk] = (await once(output, 'data')) as [Buffer];
    const pid = Number(chunk.toString());
    await expect
      .poll(() => execFileSync('ps', ['-o', 'args=', '-p', String(parent.pid)]).toString(), {
        timeout: 8_000,
      })
      .toMatch(/^sleep/);
    expect(identifyProcess(pid)).not.toBeNull();
    parent.stdio[3]?.destroy();
    await expect.poll(() => identifyProcess(pid), { timeout: 8_000 }).toBeNull();
    expect(() => process.kill(pid, 0)).not.toThrow();
  } finally {
    parent.kill('SIGKILL');
    await ended;
  }
});
