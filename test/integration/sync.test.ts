import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execSync } from 'node:child_process';
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
      const port = system.temporalAddress.split(':')[1];
      const pid = execSync(`pgrep -f -- '--port ${port}' | head -1`).toString().trim();
      const tcpu = () => {
        const f = execSync(`cat /proc/${pid}/stat`).toString().split(') ')[1]!.split(' ');
        return (Number(f[11]) + Number(f[12])) * 10;
      };
      const c0 = process.cpuUsage();
      const s0 = tcpu();
      const handle = await client.sync({
        folder,
        purpose: 'batch',
        maxConcurrentUploads: Number(process.env['C'] ?? 8),
        ...options,
      });
      const { memory, decisions, ...rest } = await handle.result();
      const c1 = process.cpuUsage(c0);
      console.log('CPU node ms', (c1.user + c1.system) / 1000, 'temporal ms', tcpu() - s0);
      console.log(
        JSON.stringify(rest),
        memory?.entries,
        memory?.data.length,
        Date.now() - t,
        'ms',
        api.stats().totals.requests - before,
        'requests',
      );
      return decisions;
    };
    await run();
    await run();
    for (let i = 0; i < 10; i++) await writeFile(join(folder, `f${i}.jsonl`), `{"i":${i},"new":1}`);
    for (let i = 10; i < 15; i++) await rm(join(folder, `f${i}.jsonl`));
    for (let i = 15; i < 20; i++) await rename(join(folder, `f${i}.jsonl`), join(folder, `g${i}.jsonl`));
    for (let i = 20; i < 22; i++) await utimes(join(folder, `f${i}.jsonl`), new Date(), new Date());
    const d = await run({ dryRun: true, delete: true });
    console.log(
      d
        ?.filter((x) => x.why !== 'same')
        .map((x) => `${x.action} ${x.why} ${x.path}`)
        .join('\n'),
    );
    await run({ delete: true });
    await run({ delete: true });
    expect(1).toBe(1);
  }));
