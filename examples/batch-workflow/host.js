// A worker of this example's workflow, with Longhaul as a guest.
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { LonghaulPlugin } from 'longhaul/worker';
import * as activities from './activities.js';

const longhaul = new LonghaulPlugin({
  destinations: [
    {
      name: 'default',
      baseUrl: process.env.OPENAI_BASE_URL ?? 'https://api.openai.com/v1',
      apiKey: process.env.OPENAI_API_KEY ?? '',
    },
  ],
  sources: { files: { roots: [process.env.BATCHES ?? '/data'] } },
  taskQueue: 'longhaul',
});

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS ?? 'localhost:7233' }),
  taskQueue: 'batches',
  workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
  activities,
  plugins: [longhaul],
});
console.log('running');
await worker.run();
