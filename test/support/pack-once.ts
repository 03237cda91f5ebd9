import { execFile } from 'node:child_process';
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from './until.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Packs the package once for all callers with the same directory, also if they are in other processes. In `npm test`, the
 * callers are the integration tests and `npm run check`, which share `LONGHAUL_TEST_DIR`.
 *
 * @returns the path of the tarball
 */
export async function packOnce(directory: string): Promise<string> {
  const packed = join(process.env['LONGHAUL_TEST_DIR'] ?? directory, 'longhaul.tgz');
  const lock = `${packed}.lock`;
  const isFirst = await mkdir(lock).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      return false;
    },
  );
  if (isFirst) {
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', lock];
    const { stdout } = await promisify(execFile)('npm', pack, { cwd: repository });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    await rename(join(lock, filename), packed);
  }
  const exists = () =>
    stat(packed).then(
      () => true,
      () => false,
    );
  await until(exists, 'the tarball that another process packs');
  return packed;
}
