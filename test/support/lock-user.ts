/**
 * `lock-user.ts DIR hold`: takes the lock, says so, and keeps it. `lock-user.ts DIR count N`: adds one to the number in
 * DIR/counter, N times, each time under the lock.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '../../src/dev/file-lock.ts';

const [directory = '', mode, times] = process.argv.slice(2);
const lock = join(directory, 'lock');
const counter = join(directory, 'counter');

if (mode === 'hold') {
  await withFileLock(lock, async () => {
    console.log('held');
    process.stdin.resume();
    await new Promise(() => undefined);
  });
}
for (let i = 0; i < Number(times); i += 1) {
  await withFileLock(lock, async () => {
    await writeFile(counter, String(Number(await readFile(counter, 'utf8')) + 1));
  });
}
