import type { Client } from '@temporalio/client';
import type { SyncRequest } from '../../contracts/sync.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { filenameOfSource } from '../../core/source/names.ts';
import { fromTemporal } from '../temporal-faults.ts';

/**
 * The request that an upload or a sync was started with, from the first event of its history.
 *
 * @throws TemporalUnreachableError, JobNotFoundError
 */
export async function startedRequest<Request extends UploadRequest | SyncRequest = UploadRequest>(
  client: Client,
  workflowId: string,
): Promise<Request | undefined> {
  const { namespace, loadedDataConverter } = client.options;
  try {
    const { history } = await client.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId },
      maximumPageSize: 1,
    });
    const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    if (!payload) return undefined;
    const [decoded = payload] = await decode(loadedDataConverter, payload);
    return loadedDataConverter.payloadConverter.fromPayload<Request>(decoded);
  } catch (error) {
    throw fromTemporal(error, workflowId);
  }
}

/** The name that the File of an upload has by its request. */
export async function startedName(client: Client, workflowId: string): Promise<string> {
  const request = await startedRequest(client, workflowId);
  return request?.filename ?? (request?.source ? filenameOfSource(request.source) : '');
}

type Converter = Client['options']['loadedDataConverter'];
type Payload = Parameters<Converter['payloadConverter']['fromPayload']>[0];

/** Codecs are applied from the last to the first. */
async function decode({ payloadCodecs }: Converter, payload: Payload): Promise<Payload[]> {
  let payloads = [payload];
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
  return payloads;
}
