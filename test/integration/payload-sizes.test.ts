import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import { runCli } from '../support/cli.ts';
import { runSync } from '../support/sync-folder.ts';
import { withSystem } from '../support/system.ts';

/** Every sixth file is empty. */
const FILES = 2400;

/** A path of 240 bytes and 80 characters, so that counts of characters are a third of the bytes. */
const FOLDER = '架'.repeat(80);

describe('a sync of files with long names', () => {
  it(
    'plans 2,000 files in a folder of 80 CJK characters, and sends a part of them',
    () =>
      withSystem(async (system) => {
        const folder = join(system.directory, 'data');
        await mkdir(join(folder, FOLDER), { recursive: true });
        for (let index = 0; index < FILES; index++) {
          // Empty files are omitted from a sync and are in its report.
          await writeFile(
            join(folder, FOLDER, `${String(index).padStart(4, '0')}-${'é'.repeat(40)}.jsonl`),
            index % 6 < 5 ? `${index}\n` : '',
          );
        }
        await system.startWorker();
        const dry = await runSync(system, { folder, purpose: 'assistants', dryRun: true });
        expect(dry.counts).toMatchObject({ listed: { files: 2000 }, toSend: { files: 2000 }, leftOut: 400 });
        const { decisions = [], decisionsOmitted = 0 } = dry;
        expect(decisions.length + decisionsOmitted).toBe(2000);
        expect(decisionsOmitted).toBeGreaterThan(0);
        expect(Buffer.byteLength(JSON.stringify(decisions))).toBeLessThanOrEqual(PayloadLimits.decisions + 2);
        expect(Buffer.byteLength(JSON.stringify(dry.leftOut))).toBeLessThanOrEqual(PayloadLimits.report + 2);

        const args = ['sync', folder, '--purpose', 'assistants', '--dry-run', '--include', `${FOLDER}/00*`];
        const few = await runCli(args, system.environment);
        expect(few).toMatchObject({ code: 0, stderr: expect.stringMatching(/would send 84 .*/) });

        const real = await runSync(system, { folder, purpose: 'assistants', include: [`${FOLDER}/00[0-3]*`] });
        expect(real.counts).toMatchObject({ sent: { files: 34 }, failed: 0 });
        const again = await runSync(system, { folder, purpose: 'assistants', include: [`${FOLDER}/00[0-3]*`] });
        expect(again.counts).toMatchObject({ same: 34, sent: { files: 0 } });
      }),
    240_000,
  );
});
