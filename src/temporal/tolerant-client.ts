import { ScheduleClient, WorkflowClient, type Client } from '@temporalio/client';
import type { DataConverter, LoadedDataConverter, Payload, PayloadCodec, PayloadConverter } from '@temporalio/common';
import { MemoName } from '../contracts/names.ts';
import { Unreadable } from '../core/payload.ts';

/**
 * Returns a view of a Temporal client that reads payloads of any kind. A payload of another program that this client cannot
 * decode is an `Unreadable` instead of an error. Otherwise the memo of one foreign workflow would fail a whole list.
 *
 * @param codecs of the payloads. @defaultValue those of the client
 */
export function tolerantClient(client: Client, codecs?: readonly PayloadCodec[]): Client {
  const { options, connection } = client;
  const loaded = options.loadedDataConverter;
  // The client accepts a loaded converter, although the type permits only paths.
  const dataConverter = tolerant(codecs ? { ...loaded, payloadCodecs: [...codecs] } : loaded) as DataConverter;
  const { namespace, identity, interceptors } = options;
  const common = { connection, namespace, identity, dataConverter };
  const ofCodecs = codecs && { ...options, loadedDataConverter: { ...loaded, payloadCodecs: [...codecs] } };
  return Object.create(client, {
    // Other calls read the codecs here, and whether workflow IDs can contain names.
    options: { value: ofCodecs ?? options },
    workflow: {
      value: new WorkflowClient({
        ...common,
        ...options.workflow,
        interceptors: interceptors.workflow,
      }),
    },
    schedule: {
      value: new ScheduleClient({
        ...common,
        interceptors: interceptors.schedule,
      }),
    },
  }) as Client;
}

function tolerant({ payloadConverter, payloadCodecs, ...rest }: LoadedDataConverter): LoadedDataConverter {
  return {
    ...rest,
    payloadConverter: tolerantConverter(payloadConverter),
    payloadCodecs: payloadCodecs.map(tolerantCodec),
  };
}

function tolerantConverter(converter: PayloadConverter): PayloadConverter {
  return {
    toPayload: (value, context, hint) => converter.toPayload(value, context, hint),
    fromPayload: (payload, context, hint) => {
      try {
        return converter.fromPayload(payload, context, hint);
      } catch {
        const encoding = payload.metadata?.['encoding'];
        return new Unreadable(encoding ? Buffer.from(encoding).toString() : '') as never;
      }
    },
  };
}

/** A payload that cannot be decoded is unchanged. The converter then does not support its encoding. */
function tolerantCodec(codec: PayloadCodec): PayloadCodec {
  return {
    encode: (payloads, context) => codec.encode(payloads, context),
    decode: async (payloads, context) => {
      try {
        return await codec.decode(payloads, context);
      } catch {
        return payloads;
      }
    },
  };
}

/** Reads a payload of a history. */
export async function readPayload<Value>(client: Client, payload: Payload): Promise<Value> {
  const [decoded = payload] = await decodePayloads(client, [payload]);
  return client.options.loadedDataConverter.payloadConverter.fromPayload<Value>(decoded);
}

/** Codecs are applied from the last to the first. */
export async function decodePayloads(client: Client, payloads: readonly Payload[]): Promise<Payload[]> {
  let decoded = [...payloads];
  for (const codec of client.options.loadedDataConverter.payloadCodecs.toReversed()) {
    decoded = await codec.decode(decoded);
  }
  return decoded;
}

/** Whether payloads pass a codec, which usually encrypts them. Workflow IDs then do not contain names of files. */
export function hidesNames(client: Client): boolean {
  return client.options.loadedDataConverter.payloadCodecs.length > 0;
}

/** The memo that shows this to a workflow. */
export function hiddenNames(client: Client): Readonly<Record<string, unknown>> {
  return hidesNames(client) ? { [MemoName.hidesNames]: true } : {};
}
