import OpenAI, { toFile } from 'openai';
import { describe, expect, it } from 'vitest';
import { withLocalApi } from './with-local-api.ts';

const PART_BYTES = 256 * 1024;

function withClient(callback: (client: OpenAI) => Promise<void>): Promise<void> {
  return withLocalApi({ apiKey: 'sk-local' }, ({ api }) =>
    callback(new OpenAI({ baseURL: api.url, apiKey: 'sk-local', maxRetries: 0 })),
  );
}

async function uploadText(client: OpenAI, text: string): Promise<string> {
  const upload = await client.uploads.create({
    filename: 'small.jsonl',
    purpose: 'vision',
    bytes: text.length,
    mime_type: 'application/jsonl',
  });
  const part = await client.uploads.parts.create(upload.id, { data: await toFile(Buffer.from(text)) });
  const completed = await client.uploads.complete(upload.id, { part_ids: [part.id] });
  return completed.file?.id ?? '';
}

describe('the official openai client, unchanged', () => {
  it('sends parts in parallel, completes, and reads the same bytes back', async () => {
    await withClient(async (client) => {
      const content = Buffer.from(Uint8Array.from({ length: 5 * PART_BYTES + 17 }, (_, n) => (n * 31) % 251));
      const upload = await client.uploads.create({
        filename: 'big.jsonl',
        purpose: 'assistants',
        bytes: content.length,
        mime_type: 'application/jsonl',
        expires_after: { anchor: 'created_at', seconds: 3600 },
      });
      expect(upload.status).toBe('pending');
      const parts = await Promise.all(
        Array.from({ length: 6 }, async (_, n) => {
          const data = await toFile(content.subarray(n * PART_BYTES, (n + 1) * PART_BYTES), `part-${n}`);
          return client.uploads.parts.create(upload.id, { data });
        }),
      );
      const completed = await client.uploads.complete(upload.id, { part_ids: parts.map((part) => part.id) });
      expect(completed).toMatchObject({ id: upload.id, status: 'completed', bytes: content.length });

      const fileId = completed.file?.id ?? '';
      const file = await client.files.retrieve(fileId);
      expect(file).toMatchObject({ id: fileId, object: 'file', bytes: content.length, filename: 'big.jsonl' });
      expect(file.expires_at).toBe(file.created_at + 3600);
      const received = Buffer.from(await (await client.files.content(fileId)).arrayBuffer());
      expect(received.equals(content)).toBe(true);
    });
  });

  it('cancels an Upload', async () => {
    await withClient(async (client) => {
      const upload = await client.uploads.create({
        filename: 'a',
        purpose: 'assistants',
        bytes: 1,
        mime_type: 'text/plain',
      });
      expect((await client.uploads.cancel(upload.id)).status).toBe('cancelled');
    });
  });

  it('pages through the list of Files and deletes one', async () => {
    await withClient(async (client) => {
      const ids: string[] = [];
      for (const text of ['one', 'two', 'three', 'four', 'five']) ids.push(await uploadText(client, text));

      const seen: string[] = [];
      for await (const file of client.files.list({ purpose: 'vision', limit: 2, order: 'asc' })) seen.push(file.id);
      expect(seen).toEqual(ids);

      expect(await client.files.delete(ids[0] ?? '')).toEqual({ id: ids[0], object: 'file', deleted: true });
      const left = await client.files.list();
      expect(left.data.map((file) => file.id)).toEqual(ids.slice(1).toReversed());
    });
  });

  it('throws its own error classes for error responses of the local API', async () => {
    await withClient(async (client) => {
      await expect(client.files.retrieve('file-none')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
      await expect(client.uploads.complete('upload_none', { part_ids: [] })).rejects.toBeInstanceOf(
        OpenAI.BadRequestError,
      );
      const stranger = client.withOptions({ apiKey: 'sk-other' });
      await expect(stranger.files.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    });
  });
});
