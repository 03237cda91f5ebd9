import { condition, executeChild, proxyActivities } from '@temporalio/workflow';

const { createUpload } = proxyActivities<{ createUpload(): Promise<{ uploadId: string }> }>({
  startToCloseTimeout: '1 minute',
});

/** Simulates the workflows of an earlier version, which this version cannot replay: opens a session, and waits. */
export async function uploadFile(): Promise<void> {
  await createUpload();
  await condition(() => false);
}

export const uploadSplitFile = startsUpload;
export const syncSource = startsUpload;

async function startsUpload(): Promise<void> {
  await executeChild(uploadFile);
}
