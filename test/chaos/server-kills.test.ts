import { afterAll, describe, expect, it } from 'vitest';
import { endCliProcesses } from '../support/cli.ts';
import { runServerKills } from './server-kills.ts';

describe('kills of commands, the server process and Temporal', { timeout: 300_000 }, () => {
  afterAll(endCliProcesses);

  it('lose no upload, start no second server, and leave no process', async () => {
    const { problems, uploads } = await runServerKills(2, 2_000, undefined, 1);
    expect(problems).toEqual([]);
    expect(uploads).toBeGreaterThan(1);
  });
});
