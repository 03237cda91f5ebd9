import type { Client } from '@temporalio/client';
import type { SyncRequest } from '../../contracts/sync.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { filenameOfSource } from '../../core/source/names.ts';
import { readPayload } from '../../temporal/tolerant-client.ts';
import { onWorkflow } from '../temporal-faults.ts';

/**
 * Returns the request of an upload or a sync, from the first event of its history.
 *
 * @throws TemporalUnreachableError, JobNotFoundError
 */
export function startedRequest<Request extends UploadRequest | SyncRequest = UploadRequest>(
  client: Client,
  workflowId: string,
): Promise<Request | undefined> {
  const { namespace } = client.options;
  return onWorkflow(workflowId, async () => {
    const { history } = await client.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId },
      maximumPageSize: 1,
    });
    const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    return payload ? await readPayload<Request>(client, payload) : undefined;
  });
}

export async function startedName(client: Client, workflowId: string): Promise<string> {
  const request = await startedRequest(client, workflowId);
  return request?.filename ?? (request?.source ? filenameOfSource(request.source) : '');
}
