/** Programs of a user of the package, by file name. Each uploads `UPLOAD_FILE` and prints the ID of its File. */

const library = `
  const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS });
  const taskQueue = process.env.LONGHAUL_TASK_QUEUE;
  const worker = await createWorker({
    connection,
    taskQueue,
    destinations: [{ name: 'default', baseUrl: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY }],
    sources: { any: true },
  });
  const running = worker.run();
  const longhaul = await LonghaulClient.connect({ taskQueue });
  const upload = await longhaul.upload({ file: process.env.UPLOAD_FILE, purpose: 'assistants', id: taskQueue });
  console.log((await upload.result()).file.id);
  await worker.shutdown();
  await running;
  await longhaul.close();
  await connection.close();
`;

export const files = {
  'import.mjs': `import { NativeConnection } from '@temporalio/worker';
import { LonghaulClient } from 'longhaul';
import { createWorker } from 'longhaul/worker';
${library}`,

  'require.cjs': `const { NativeConnection } = require('@temporalio/worker');
const { LonghaulClient } = require('longhaul');
const { createWorker } = require('longhaul/worker');
void (async () => {${library}})();`,

  'client.mjs': `import { LonghaulClient } from 'longhaul';
const longhaul = await LonghaulClient.connect({ taskQueue: process.env.LONGHAUL_TASK_QUEUE });
const options = { file: process.env.UPLOAD_FILE, purpose: 'assistants', id: process.env.LONGHAUL_TASK_QUEUE };
console.log((await (await longhaul.upload(options)).result()).file.id);
await longhaul.close();`,

  'workflows.mjs': `import { executeChild } from '@temporalio/workflow';
export async function publish(path, taskQueue) {
  const request = { source: { type: 'file', path }, purpose: 'assistants' };
  const { file } = await executeChild('uploadFile', { args: [request], taskQueue, workflowId: taskQueue });
  return file.id;
}`,

  'host.mjs': `import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { LonghaulPlugin } from 'longhaul/worker';
const address = process.env.TEMPORAL_ADDRESS;
const taskQueue = process.env.LONGHAUL_TASK_QUEUE;
const connection = await NativeConnection.connect({ address });
const plugin = new LonghaulPlugin({
  taskQueue,
  destinations: [{ name: 'default', baseUrl: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY }],
  sources: { any: true },
});
const workflowsPath = fileURLToPath(new URL('workflows.mjs', import.meta.url));
const worker = await Worker.create({ connection, taskQueue: 'host-' + taskQueue, workflowsPath, plugins: [plugin] });
const caller = await Connection.connect({ address });
await worker.runUntil(async () => {
  const args = [process.env.UPLOAD_FILE, taskQueue];
  const options = { taskQueue: 'host-' + taskQueue, workflowId: 'publish-' + taskQueue, args };
  console.log(await new Client({ connection: caller }).workflow.execute('publish', options));
});
await caller.close();
await connection.close();`,

  'program.ts': `import { NativeConnection } from '@temporalio/worker';
import { executeChild } from '@temporalio/workflow';
import { LonghaulClient, LonghaulError, type UploadOptions } from 'longhaul';
import { createActivities } from 'longhaul/activities';
import { longhaulService } from 'longhaul/nexus';
import { createWorker, Destinations, LonghaulPlugin, startTracing } from 'longhaul/worker';
import type { uploadFile } from 'longhaul/workflows';

export const publish = (path: string) =>
  executeChild<typeof uploadFile>('uploadFile', { args: [{ source: { type: 'file', path }, purpose: 'assistants' }] });

export async function upload(options: UploadOptions): Promise<string> {
  const longhaul = await LonghaulClient.connect();
  try {
    return (await (await longhaul.upload(options)).result()).file.id;
  } catch (error) {
    throw error instanceof LonghaulError ? new Error(error.code) : error;
  }
}

const destinations = Destinations.of([{ name: 'default', baseUrl: 'http://127.0.0.1/v1', apiKey: 'sk' }]);
export const activities = createActivities({ destination: destinations.get });
export const operations: 'longhaul' | string = longhaulService.name;
export const plugin = new LonghaulPlugin({ destinations: [] });
export const worker = async () =>
  createWorker({ connection: await NativeConnection.connect(), destinations: [], tracing: await startTracing() });
`,
} as const;
