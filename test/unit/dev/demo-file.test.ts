import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { withDemoFile } from '../../../src/dev/demo/run-demo.ts';
import { canMount, withMount } from '../../support/mount.ts';
import { withTempDir } from '../../support/temp-dir.ts';

it.skipIf(!canMount())('the file of the demo on a full disk is named in the error, and removed', () =>
  withTempDir((directory) =>
    withMount(join(directory, 'small'), 'size=1536k', async () => {
      const small = join(directory, 'small');
      vi.stubEnv('TMPDIR', small);
      try {
        const path = expect.stringMatching(`^${small}/longhaul-demo-.*/demo\\.jsonl$`) as string;
        await expect(withDemoFile(4 * 1024 * 1024, async () => {})).rejects.toMatchObject({ code: 'ENOSPC', path });
        expect(await readdir(small)).toEqual([]);
      } finally {
        vi.unstubAllEnvs();
      }
    }),
  ),
);
