import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { beginWorker } from '../support/cli.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { reserveTurns } from '../support/reserve-turns.ts';
import { withTemporalServer } from '../support/temporal-with-flags.ts';
import { until } from '../support/until.ts';

const UPLOADS = 16;
const PER_MINUTE = 120;
/** After a pause, a twentieth of the requests of a minute is sent immediately, then nine tenths of the rate, one by one. */
const AT_ONCE = 6;
const A_SECOND = (PER_MINUTE * 0.9) / 60;
const SPAN_MS = 3000;

/** Uploads whose completions get no response until all Files exist: each File has to be looked up in `/files`. */
async function lookUp({ client, directory, api, uploads }: System): Promise<void> {
  api.faults.add({ route: 'complete', kind: 'lost-answer', probability: 1 });
  const handles = await Promise.all(
    Array.from({ length: UPLOADS }, async (_, index) => {
      const file = join(directory, `${index}.jsonl`);
      await writeFile(file, `${index}`);
      return client.upload({ file, purpose: 'assistants', partSizeBytes: MiB, md5: false });
    }),
  );
  const isCompleted = ({ status }: { readonly status: string }) => status === 'completed';
  await until(() => uploads().filter(isCompleted).length === UPLOADS, 'each File to exist');
  api.faults.clear();
  await Promise.all(handles.map((handle) => handle.result()));
}

it('two workers together stay within the allowed requests to /files per minute', async () => {
  const listedAtMs: number[] = [];
  const log = (line: string) => void (/GET \/v1\/files\b/.test(line) && listedAtMs.push(performance.now()));
  await withSystem(
    async (system) => {
      const config = join(system.directory, 'config.json');
      const destination = { baseUrl: system.api.url, filesRequestsPerMinute: PER_MINUTE };
      await writeFile(config, JSON.stringify({ destinations: { default: destination } }));
      for (const _ of [1, 2]) await beginWorker({ ...system.environment, LONGHAUL_CONFIG: config });
      await lookUp(system);

      await until(() => listedAtMs.length >= UPLOADS, 'each lookup to be logged');
      // Some may come late, and so closer to the next ones, by as many as belong to half a second.
      const most = AT_ONCE + Math.ceil((A_SECOND * (SPAN_MS + 500)) / 1000);
      const within = (fromMs: number) => listedAtMs.filter((atMs) => atMs >= fromMs && atMs - fromMs <= SPAN_MS).length;
      expect(Math.max(...listedAtMs.map((atMs) => within(atMs)))).toBeLessThanOrEqual(most);
    },
    { log },
  );
});

it('the rate limit continues as new, and counts all requests of earlier executions', () =>
  withTemporalServer({ 'limit.historyCount.suggestContinueAsNew': 40 }, (temporalAddress) =>
    withSystem(
      async (system) => {
        await system.startWorker();
        const turns: number[] = [];
        // The workflow's own clock is between the two moments: the first turn must not seem late, nor the last one early.
        const askedAtMs = Date.now();
        for (let ask = 0; ask < 20; ask++) {
          turns.push(...(await reserveTurns(system, 10, PER_MINUTE)).map((waitMs) => Date.now() + waitMs));
        }
        const runs = new Set<string>();
        const query = 'WorkflowType = "requestRate"';
        await until(async () => {
          for await (const { runId } of system.client.temporal.workflow.list({ query })) runs.add(runId);
          return runs.size > 1;
        }, 'a second execution');
        const intervalMs = 1000 / A_SECOND;
        const least = (turns.length - AT_ONCE - 1) * intervalMs;
        expect((turns.at(-1) as number) - askedAtMs).toBeGreaterThan(least);
      },
      { temporalAddress },
    ),
  ));
