import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withSystem } from '../support/system.ts';

it('spike', () =>
  withSystem(async (system) => {
    const { client, api, directory, startWorker } = system;
    await startWorker();
    const folder = join(directory, 'data');
    await mkdir(folder);
    const n = Number(process.env['N'] ?? 100);
    for (let i = 0; i < n; i++) await writeFile(join(folder, `f${i}.jsonl`), `{"i":${i}}\n`.padEnd(1024, 'x'));
    const run = async (options = {}) => {
      const before = api.stats().totals.requests;
      const t = Date.now();
      const handle = await client.sync({ folder, purpose: 'batch', ...options });
      const { memory, decisions, ...rest } = await handle.result();
      console.log(JSON.stringify(rest), memory?.entries, memory?.data.length, Date.now() - t, 'ms', api.stats().totals.requests - before, 'requests');
      return decisions;
    };
    await run();
    await run();
    for (let i = 0; i < 10; i++) await writeFile(join(folder, `f${i}.jsonl`), `{"i":${i},"new":1}`);
    for (let i = 10; i < 15; i++) await rm(join(folder, `f${i}.jsonl`));
    for (let i = 15; i < 20; i++) await rename(join(folder, `f${i}.jsonl`), join(folder, `g${i}.jsonl`));
    for (let i = 20; i < 22; i++) await utimes(join(folder, `f${i}.jsonl`), new Date(), new Date());
    const d = await run({ dryRun: true, delete: true });
    console.log(d?.filter((x) => x.why !== 'same').map((x) => `${x.action} ${x.why} ${x.path}`).join('\n'));
    await run({ delete: true });
    await run({ delete: true });
    expect(1).toBe(1);
  }));
