import { createNexusServiceClient, executeChild, proxyActivities } from '@temporalio/workflow';
import type { UploadRequest } from 'longhaul';
import { longhaulService, type NexusUpload } from 'longhaul/nexus';
import type { uploadFile } from 'longhaul/workflows';

/** Workflows of a service that uses Longhaul. */

const { describe } = proxyActivities<{ describe: (fileId: string) => Promise<string> }>({
  startToCloseTimeout: '10 s',
});

export async function publish(request: UploadRequest, taskQueue: string, workflowId: string): Promise<string> {
  const { file } = await executeChild<typeof uploadFile>('uploadFile', { args: [request], taskQueue, workflowId });
  return describe(file.id);
}

export async function publishByNexus(endpoint: string, upload: NexusUpload): Promise<string> {
  const longhaul = createNexusServiceClient({ endpoint, service: longhaulService });
  const { file } = await longhaul.executeOperation('uploadFile', upload);
  return file.id;
}
