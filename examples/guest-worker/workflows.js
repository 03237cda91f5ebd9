import { executeChild, proxyActivities } from '@temporalio/workflow';

const { writeReport } = proxyActivities({ startToCloseTimeout: '5 minutes' });

/** Writes a report and uploads it. If the worker is killed, both resume. In TypeScript: `executeChild<typeof uploadFile>`. */
export async function publishReport(name) {
  const path = await writeReport(name);
  const { file } = await executeChild('uploadFile', {
    args: [{ source: { type: 'file', path }, purpose: 'batch' }],
    taskQueue: 'longhaul',
  });
  return file.id;
}
