import { createReadStream } from 'node:fs';

export interface PartRange {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface Contender {
  /** Sends one range of the file as one part, and gives its id. */
  sendPart(range: PartRange): Promise<string>;
  close(): Promise<void>;
}

type CreateContender = (baseUrl: string, path: string) => Promise<Contender>;

/** One line for each way to send a part. */
export const partContenders: Readonly<Record<string, CreateContender>> = {
  longhaul: createLonghaul,
  'openai SDK, streaming': createSdk,
};

// Each loads its own code only, so that no other's counts in its memory.

/** As the activity does it: the source is opened for each part. */
async function createLonghaul(baseUrl: string, path: string): Promise<Contender> {
  const { UploadsClient } = await import('../../src/openai/uploads-client.ts');
  const { openFileSource } = await import('../../src/sources/file-source.ts');
  const client = new UploadsClient({ name: 'bench', baseUrl, apiKey: 'bench' });
  return {
    sendPart: async (range) => {
      const reader = await openFileSource({ type: 'file', path });
      try {
        return (await client.addPart('upload_1', { reader, ...range })).partId;
      } finally {
        await reader.close();
      }
    },
    close: () => client.close(),
  };
}

async function createSdk(baseURL: string, path: string): Promise<Contender> {
  const { default: OpenAI } = await import('openai');
  const client = new OpenAI({ baseURL, apiKey: 'bench', maxRetries: 0 });
  return {
    sendPart: async ({ offsetBytes, sizeBytes }) => {
      const data = createReadStream(path, { start: offsetBytes, end: offsetBytes + sizeBytes - 1 });
      return (await client.uploads.parts.create('upload_1', { data })).id;
    },
    close: async () => {},
  };
}
