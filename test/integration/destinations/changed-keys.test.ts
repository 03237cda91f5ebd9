import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KeyFile } from '../../../src/keys/key-file.ts';
import { createDestination } from '../../../src/destinations/kinds.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import {
  expectedPartBody,
  withCaptureServer,
  type CapturedRequest,
  type CaptureServer,
} from '../../support/capture-server.ts';
import { memoryReader } from '../../support/memory-reader.ts';
import { withTempDir } from '../../support/temp-dir.ts';

const content = randomBytes(1024 * 1024 + 7);

/** A service that accepts `sk-new` only, and repeats the key that it rejects. */
function withService(body: (client: Destination, keyPath: string, server: CaptureServer) => Promise<void>) {
  const reply = ({ headers }: CapturedRequest) => {
    const key = headers['authorization']?.replace('Bearer ', '');
    if (key === 'sk-new') return { body: { id: 'part_1', data: [] } };
    return { status: 401, body: { error: { message: `invalid key ${key}; not sk-old either` } } };
  };
  return withTempDir((dir) =>
    withCaptureServer({ reply }, async (server) => {
      const keyPath = join(dir, 'key');
      await writeFile(keyPath, 'sk-old');
      const apiKey = new KeyFile(keyPath, 'the file');
      const client = createDestination({ name: 'test', baseUrl: server.baseUrl, apiKey });
      try {
        await body(client, keyPath, server);
      } finally {
        await client.close();
      }
    }),
  );
}

const addPart = (client: Destination, moved: (bytes: number) => void = () => {}) =>
  client.send('upload_1', {
    reader: memoryReader(content),
    partNumber: 1,
    offsetBytes: 0,
    sizeBytes: content.byteLength,
    listeners: [{ moved }],
  });

const keysSent = ({ requests }: CaptureServer) => requests.map(({ headers }) => headers['authorization']);

describe('a call whose key is rejected', () => {
  it('is retried with the new key from the file, and resends the whole part', () =>
    withService(async (client, keyPath, server) => {
      await expect(client.files.list()).rejects.toMatchObject({ details: { status: 401 } });
      expect(keysSent(server)).toEqual(['Bearer sk-old']);
      await writeFile(keyPath, 'sk-new');
      let lastBytes = 0;
      await addPart(client, (bytes) => (lastBytes = bytes));
      expect(keysSent(server)).toEqual(['Bearer sk-old', 'Bearer sk-old', 'Bearer sk-new']);
      const last = server.requests.at(-1) as CapturedRequest;
      expect(last.body.equals(expectedPartBody(last, content))).toBe(true);
      expect(lastBytes).toBe(content.byteLength);
    }));

  it('is not retried with the same key', () =>
    withService(async (client, _, server) => {
      await expect(addPart(client)).rejects.toMatchObject({ details: { status: 401 } });
      await expect(client.files.list()).rejects.toMatchObject({ details: { status: 401 } });
      expect(server.requests.length).toBe(2);
    }));

  it('is reported with the current and the previous key redacted', () =>
    withService(async (client, keyPath) => {
      await client.files.list().catch(() => {});
      await writeFile(keyPath, 'sk-third');
      const error = await client.files.list().catch((thrown: unknown) => thrown as Error);
      expect((error as Error).message).toContain('invalid key [redacted]; not [redacted] either');
    }));
});
