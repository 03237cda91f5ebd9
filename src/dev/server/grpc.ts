import { connect, type ClientHttp2Session } from 'node:http2';

/**
 * A small gRPC client for the server process. With Temporal's SDK, the process would need more than twice the memory, and
 * five times as long to start.
 */
export class Grpc {
  readonly #session: ClientHttp2Session;
  readonly #timeoutMs: number;

  constructor(address: string, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#session = connect(`http://${address}`);
    // Each call reports it.
    this.#session.on('error', () => {});
  }

  /**
   * @param path such as `temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace`
   * @throws Error with the message of the server, or of the connection
   */
  call(path: string, request: Buffer): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#session.once('error', reject);
      const stream = this.#session.request({
        ':method': 'POST',
        ':path': `/${path}`,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      let status: string | undefined;
      let message = '';
      const readStatus = (headers: Readonly<Record<string, unknown>>) => {
        status = (headers['grpc-status'] as string | undefined) ?? status;
        message = decodeURIComponent((headers['grpc-message'] as string | undefined) ?? message);
      };
      const chunks: Buffer[] = [];
      stream.on('response', readStatus).on('trailers', readStatus);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.setTimeout(this.#timeoutMs, () => stream.close());
      stream.once('error', reject);
      stream.once('close', () => {
        this.#session.off('error', reject);
        if (status === '0') resolve(decode(Buffer.concat(chunks).subarray(PREFIX_BYTES)));
        else reject(new Error(message || `no response to ${path} (status ${status})`));
      });
      const prefix = Buffer.alloc(PREFIX_BYTES);
      prefix.writeUInt32BE(request.length, 1);
      stream.end(Buffer.concat([prefix, request]));
    });
  }

  close(): void {
    this.#session.destroy();
  }
}

/** A flag and the length of the message. */
const PREFIX_BYTES = 5;

/** Values by the numbers of their fields, each a number or the bytes of a string or message. */
export type Message = ReadonlyMap<number, readonly (number | Buffer)[]>;

const VARINT = 0;
const BYTES = 2;

/** Encodes a message of Protocol Buffers. A repeated field is an array. */
export function encode(fields: Readonly<Record<number, number | string | Buffer | readonly Buffer[]>>): Buffer {
  const parts: Buffer[] = [];
  for (const [number, value] of Object.entries(fields)) {
    if (typeof value === 'number') parts.push(varint(Number(number) * 8 + VARINT), varint(value));
    else {
      for (const one of Array.isArray(value) ? (value as readonly Buffer[]) : [value as string | Buffer]) {
        const bytes = Buffer.from(one as string);
        parts.push(varint(Number(number) * 8 + BYTES), varint(bytes.length), bytes);
      }
    }
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

export function decode(bytes: Buffer): Message {
  const message = new Map<number, (number | Buffer)[]>();
  let position = 0;
  const next = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes.readUInt8(position);
      position += 1;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  const slice = (length: number) => bytes.subarray(position, (position += length));
  while (position < bytes.length) {
    const key = next();
    const type = key % 8;
    const value = type === VARINT ? next() : slice(type === BYTES ? next() : type === 1 ? 8 : 4);
    const number = Math.floor(key / 8);
    message.set(number, [...(message.get(number) ?? []), value]);
  }
  return message;
}

/** Returns the message in a field; empty if the field is missing. */
export function nested(message: Message, field: number): Message {
  const value = message.get(field)?.[0];
  return Buffer.isBuffer(value) ? decode(value) : new Map();
}
