import { createReadStream, openAsBlob } from 'node:fs';

export interface PartRange {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface PartSender {
  /** Sends one range of the file as one part, and gives its id. */
  sendPart(range: PartRange): Promise<string>;
  close(): Promise<void>;
}

type CreatePartSender = (baseUrl: string, path: string) => Promise<PartSender>;

/** One line for each way to send a part. */
export const partSenders = {
  longhaul: createLonghaul,
  'sdk-stream': createSdk((path, { offsetBytes, sizeBytes }) =>
    Promise.resolve(createReadStream(path, { start: offsetBytes, end: offsetBytes + sizeBytes - 1 })),
  ),
  'sdk-blob': createSdk(async (path, { offsetBytes, sizeBytes }) => {
    const blob = await openAsBlob(path);
    return new File([blob.slice(offsetBytes, offsetBytes + sizeBytes)], 'part');
  }),
} as const satisfies Readonly<Record<string, CreatePartSender>>;

export type PartSenderName = keyof typeof partSenders;

// Each loads its own code only, so that no other's counts in its memory.

/** As a worker does it: the parser is warm from the start, and the source is opened for each part. */
async function createLonghaul(baseUrl: string, path: string): Promise<PartSender> {
  const { createDestination } = await import('../../../src/destinations/kinds.ts');
  const { openFileSource } = await import('../../../src/sources/file/source.ts');
  const { warmUpParser } = await import('../../../src/destinations/http/warm-up-parser.ts');
  await warmUpParser();
  const client = createDestination({ name: 'bench', baseUrl, apiKey: 'bench' });
  return {
    sendPart: async (range) => {
      const reader = await openFileSource({ type: 'file', path });
      try {
        return (await client.send('upload_1', { partNumber: 1, reader, ...range })).partId;
      } finally {
        await reader.close();
      }
    },
    close: () => client.close(),
  };
}

type PartData = ReturnType<typeof createReadStream> | File;

function createSdk(dataOf: (path: string, range: PartRange) => Promise<PartData>): CreatePartSender {
  return async (baseURL, path) => {
    const { default: OpenAI } = await import('openai');
    const client = new OpenAI({ baseURL, apiKey: 'bench', maxRetries: 0 });
    return {
      sendPart: async (range) =>
        (await client.uploads.parts.create('upload_1', { data: await dataOf(path, range) })).id,
      close: async () => {},
    };
  };
}
