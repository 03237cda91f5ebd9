import type { Client } from '@temporalio/client';
import type { Container, Source } from '../../contracts/sources.ts';
import type { SyncRequest } from '../../contracts/sync.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { filenameOfSource, nameOfContainer } from '../../core/source/names.ts';
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

/** Returns the `filename` of the progress of an upload or a sync, from its request. */
export async function startedName(client: Client, workflowId: string): Promise<string> {
  const request = await startedRequest<UploadRequest | SyncRequest>(client, workflowId);
  if (!request?.source) return '';
  if ('filename' in request && request.filename !== undefined) return request.filename;
  const { source } = request;
  return isContainer(source) ? nameOfContainer(source) : filenameOfSource(source);
}

function isContainer(source: Source | Container): source is Container {
  return source.type === 'folder' || (source.type === 's3' && !('key' in source));
}
