// An existing worker. The lines with "longhaul" are all that was added.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { LonghaulPlugin } from 'longhaul/worker';

const reports = resolve(process.env.REPORTS ?? 'reports');

const longhaul = new LonghaulPlugin({
  destinations: [
    {
      name: 'default',
      baseUrl: process.env.OPENAI_BASE_URL ?? 'https://api.openai.com/v1',
      apiKey: process.env.OPENAI_API_KEY ?? '',
    },
  ],
  sources: { files: { roots: [reports] } },
  taskQueue: 'longhaul',
});

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS ?? 'localhost:7233' }),
  taskQueue: 'reports',
  workflowsPath: fileURLToPath(new URL('workflows.js', import.meta.url)),
  activities: {
    async writeReport(name) {
      const path = join(reports, `${name}.jsonl`);
      const body = { model: 'gpt-4o-mini', input: 'Summarise the report.' };
      const request = { custom_id: '1', method: 'POST', url: '/v1/responses', body };
      await mkdir(reports, { recursive: true });
      await writeFile(path, `${JSON.stringify(request)}\n`);
      return path;
    },
  },
  plugins: [longhaul],
});
console.log('running');
await worker.run();
