import { expect, it } from 'vitest';
import { assertOpenFiles, openFileLimit } from '../../../src/config/open-files.ts';

it('reads the soft limit of open files', () => {
  const limits =
    'Limit  Soft Limit  Hard Limit  Units\nMax open files            200                  4096                 files\n';
  expect(openFileLimit(() => limits)).toBe(200);
  expect(openFileLimit(() => 'Max open files  unlimited  unlimited  files')).toBe(Infinity);
  const missing = () => {
    throw new Error('ENOENT');
  };
  expect(openFileLimit(missing)).toBe(Infinity);
});

it('rejects a limit at which Node.js would abort a worker', () => {
  expect(() => assertOpenFiles(256)).not.toThrow();
  expect(() => assertOpenFiles(255)).toThrow(
    'the limit of open files is 255, and a worker that sends parts requires 256. Raise the limit: ulimit -n 256.',
  );
});
