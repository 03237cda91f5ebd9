import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { withSystem } from '../support/system.ts';

const request = (id: number, url = '/v1/embeddings') =>
  `${JSON.stringify({ custom_id: `r-${id}`, method: 'POST', url, body: { model: 'm', input: 'x'.repeat(200) } })}\n`;
const requests = (count: number) => Array.from({ length: count }, (_, id) => request(id)).join('');

describe('an upload whose content is checked', () => {
  it('fails before its completion with the numbers of invalid lines, and cancels the session', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const file = join(system.directory, 'requests.jsonl');
      const upload = (purpose: string, ...more: string[]) =>
        runCli(['upload', file, '--purpose', purpose, '--part-size', '1MiB', '--json', ...more], system.environment);
      const canary = 'canary-4711';

      // One small part, and several parts whose content a separate pass reads.
      for (const count of [3, 5000]) {
        await writeFile(file, `${requests(count)}{"custom_id":"${canary}"}\n${request(0)}`);
        for (const more of [[], ['--no-md5']]) {
          const failed = await upload('batch', ...(count > 3 ? ['--check', 'batch', '--split'] : []), ...more);
          expect(failed.code).toBe(1);
          expect(failed.stdout + failed.stderr).not.toContain(canary);
          const { error } = JSON.parse(failed.stdout);
          expect(error.code).toBe('ContentInvalid');
          expect(error.message).toMatch(/line \d+ has no "method"/);
        }
      }
      expect(system.uploads().every(({ status }) => status !== 'pending')).toBe(true);
      const cancelled = system.uploads().filter(({ status }) => status === 'cancelled');
      expect(cancelled.length).toBeGreaterThanOrEqual(4);

      await writeFile(file, `${requests(2)}${request(2, '/v1/responses')}`);
      const valid = await upload('batch');
      expect(valid.code).toBe(0);
      expect(valid.stderr).toMatch(/more than one "url"/);
      expect(JSON.parse(valid.stdout)).toMatchObject({ warnings: [expect.stringContaining('"url"')] });

      await writeFile(file, 'not JSON\n');
      expect((await upload('fine-tune')).code).toBe(1);
      expect((await upload('fine-tune', '--check', 'off')).code).toBe(0);
      expect((await upload('assistants', '--check', 'chat')).code).toBe(1);

      // Small files of a sync are sent in a batch.
      const folder = join(system.directory, 'folder');
      await mkdir(folder);
      await writeFile(join(folder, 'good.jsonl'), requests(2));
      await writeFile(join(folder, 'bad.jsonl'), `${requests(1)}${canary}\n`);
      await writeFile(join(folder, 'other.csv'), 'a,b\n');
      const synced = await runCli(['sync', folder, '--purpose', 'batch', '--json'], system.environment);
      expect(synced.code).toBe(1);
      expect(synced.stdout).not.toContain(canary);
      const { counts, problems } = JSON.parse(synced.stdout);
      expect(counts).toMatchObject({ sent: { files: 1 }, failed: 2 });
      expect(problems).toMatchObject(
        expect.arrayContaining([
          expect.objectContaining({ path: 'bad.jsonl', failureType: 'ContentInvalid' }),
          expect.objectContaining({ path: 'other.csv', failureType: 'SourceUnusable' }),
        ]),
      );
    }));
});
