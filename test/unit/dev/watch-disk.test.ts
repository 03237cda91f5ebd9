import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchDisk } from '../../../src/dev/server/system.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a disk is reported once each time that it becomes full, with the fix', async () => {
  let free = 2 ** 30;
  const lines: (string | undefined)[] = [];
  const stop = watchDisk(
    '/state',
    (line) => lines.push(line),
    1000,
    () => Promise.resolve(free),
  );
  const after = async (bytes: number) => {
    free = bytes;
    await vi.advanceTimersByTimeAsync(3000);
    return lines.filter((line) => line !== undefined).length;
  };
  expect(await after(2 ** 30)).toBe(0);
  expect(await after(4096)).toBe(1);
  expect(await after(2 ** 30)).toBe(1);
  expect(await after(0)).toBe(2);
  expect(lines[0]).toBe(
    'the disk of the state directory /state is full (4 KiB left), and uploads wait. Free some space.',
  );
  expect(lines, 'it is also reported that the disk has space again').toHaveLength(3);
  stop();
  expect(await after(2 ** 30)).toBe(2);
  expect(await after(0)).toBe(2);
});
