import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { beginCli } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';

const PARTS = 16;
const SLOTS = 4;
const uploadArguments =
  `--purpose assistants --part-size 1MiB --concurrency ${SLOTS} --heartbeat-timeout 2s --json`.split(' ');

/** Slow enough that a kill hits the middle. */
const limits = { bandwidthBytesPerSecond: 6 * MiB };

/** Environment of a user without a Temporal server. */
function embeddedEnvironment({ service, directory }: System): Record<string, string> {
  return {
    ...service,
    LONGHAUL_STATE_DIR: join(directory, 'state'),
  };
}

describe('SIGKILL in the middle of an upload', () => {
  it('of the embedded Temporal server: the command continues with a new one', () =>
    withSystem(async (system) => {
      const file = join(system.directory, 'killed-server.bin');
      const content = await randomFile(file, PARTS * MiB);
      const environment = embeddedEnvironment(system);
      await mkdir(environment['LONGHAUL_STATE_DIR'] as string, { recursive: true });
      const run = beginCli(['upload', file, ...uploadArguments], environment);
      await partsReceived(system, PARTS / 3);
      const record = JSON.parse(
        await readFile(join(environment['LONGHAUL_STATE_DIR'] as string, 'server.json'), 'utf8'),
      );
      process.kill(record.pid, 'SIGKILL');

      const outcome = await run.ended;
      expect(outcome.stderr).not.toMatch(/unexpected|Warning/);
      expect(outcome.code).toBe(0);
      expect(system.uploads().filter(({ status }) => status === 'completed')).toHaveLength(1);
      const { file: uploaded } = JSON.parse(outcome.stdout);
      expect(md5(await system.download(uploaded.id))).toBe(md5(content));
      const { partsBegun } = system.api.stats().totals;
      expect(partsBegun).toBeLessThanOrEqual(PARTS + SLOTS);
    }, limits));
});
