/**
 * `lock-user.ts DIR hold`: takes the lock, says so, and keeps it. `lock-user.ts DIR count N`: adds one to the number in
 * DIR/counter, N times, each time under the lock.
 */
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '../../src/dev/server/file-lock.ts';

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
if (mode === 'count') {
  console.log('ready');
  for (let i = 0; i < Number(times); i += 1) {
    await withFileLock(lock, async () => {
      // Fails when another process is inside.
      await mkdir(join(directory, 'inside'));
      await writeFile(counter, String(Number(await readFile(counter, 'utf8')) + 1));
      await rmdir(join(directory, 'inside'));
    });
  }
}
