import type { Client } from '@temporalio/client';
import type { SyncRequest } from '../../contracts/sync.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { fromTemporal } from '../temporal-faults.ts';

/**
 * The request that an upload or a sync was started with, from the first event of its history.
 *
 * @throws TemporalUnreachableError, UploadNotFoundError
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

type Converter = Client['options']['loadedDataConverter'];
type Payload = Parameters<Converter['payloadConverter']['fromPayload']>[0];

/** Codecs are applied from the last to the first. */
async function decode({ payloadCodecs }: Converter, payload: Payload): Promise<Payload[]> {
  let payloads = [payload];
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
  return payloads;
}
