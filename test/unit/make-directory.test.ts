import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeDirectory } from '../../src/make-directory.ts';

it('creates a directory with its parents for this user only, and accepts one that exists', () => {
  const root = mkdtempSync(join(tmpdir(), 'longhaul-test-'));
  try {
    const path = join(root, 'a', 'b');
    makeDirectory(path);
    makeDirectory(path);
    for (const name of [path, join(root, 'a')]) expect(statSync(name).mode & 0o777).toBe(0o700);
  } finally {
    rmSync(root, { recursive: true });
  }
});

// With the option `recursive`, Node.js 20 would never return.
it.skipIf(process.platform !== 'linux')('reports a file system that accepts no directories', () => {
  expect(() => makeDirectory('/proc/longhaul/data')).toThrow('ENOENT');
});
