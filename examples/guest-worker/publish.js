import { Client, Connection } from '@temporalio/client';

const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? 'localhost:7233' });
const name = process.argv[2] ?? 'november';
const fileId = await new Client({ connection }).workflow.execute('publishReport', {
  workflowId: `report-${name}`,
  taskQueue: 'reports',
  args: [name],
});
console.log(fileId);
await connection.close();
