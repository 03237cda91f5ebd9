// node run.js REQUESTS RESULTS: starts the batch, or attaches to it, and prints its report.
import { basename, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';

const [requests = 'requests.jsonl', results = 'results.jsonl'] = process.argv.slice(2).map((path) => resolve(path));
const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? 'localhost:7233' });
const report = await new Client({ connection }).workflow.execute('runBatch', {
  workflowId: `batch-${basename(requests)}`,
  workflowIdConflictPolicy: 'USE_EXISTING',
  taskQueue: 'batches',
  args: [
    {
      requests,
      results,
      endpoint: process.env.BATCH_ENDPOINT ?? '/v1/responses',
      pollInterval: process.env.POLL_INTERVAL ?? '1 minutes',
    },
  ],
});
console.log(JSON.stringify(report));
process.exitCode = report.failed + report.missing === 0 ? 0 : 1;
await connection.close();
