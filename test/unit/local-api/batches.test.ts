import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { describe, expect, it } from 'vitest';
import { startLocalApi } from '../../../src/local-api/index.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

type Body = Record<string, unknown>;

/** The local API and the official client, which sends each request unchanged. */
class Scene {
  readonly client: OpenAI;
  constructor(baseURL: string) {
    this.client = new OpenAI({ baseURL, apiKey: 'sk-local', maxRetries: 0 });
  }

  async file(text: string, purpose: 'batch' | 'fine-tune' = 'batch'): Promise<string> {
    const content = Buffer.from(text);
    const { uploads } = this.client;
    const upload = await uploads.create({ filename: 'a.jsonl', purpose, bytes: content.length, mime_type: 'a/b' });
    // In two parts, so that a line is in both.
    const halves = [content.subarray(0, content.length / 2), content.subarray(content.length / 2)];
    const ids: string[] = [];
    for (const half of halves) ids.push((await uploads.parts.create(upload.id, { data: await toFile(half) })).id);
    return (await uploads.complete(upload.id, { part_ids: ids })).file?.id ?? '';
  }

  async create(input: string, more: Body = {}) {
    const body = { input_file_id: input, endpoint: '/v1/responses', completion_window: '24h', ...more };
    return this.client.post<OpenAI.Batches.Batch>('/batches', { body });
  }

  /** The batch when it has a final status. */
  async end(id: string): Promise<OpenAI.Batches.Batch> {
    let batch = await this.client.batches.retrieve(id);
    await until(async () => {
      batch = await this.client.batches.retrieve(id);
      return ['completed', 'failed'].includes(batch.status);
    }, `the end of ${id}`);
    return batch;
  }

  async rows(fileId: string | undefined): Promise<any[]> {
    const text = await (await this.client.files.content(fileId ?? '')).text();
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }
}

const withScene = (run: (scene: Scene, dataDir: string) => Promise<void>) =>
  withTempDir(async (dataDir) => {
    const api = await startLocalApi({ dataDir });
    try {
      await run(new Scene(api.url), dataDir);
    } finally {
      await api.close();
    }
  });

const line = (id: string, more: Body = {}) =>
  `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/responses', body: { model: 'm' }, ...more })}\n`;

describe('POST /batches', () => {
  it('runs each line, and writes results and errors to Files', () =>
    withScene(async (scene) => {
      const input = await scene.file(line('one') + line('zwölf') + line('three', { body: {} }).trimEnd());
      const created = await scene.create(input, { metadata: { workflow: 'w-1' } });
      expect(created).toMatchObject({ object: 'batch', status: 'validating', input_file_id: input });
      const batch = await scene.end(created.id);
      expect(batch).toMatchObject({
        status: 'completed',
        metadata: { workflow: 'w-1' },
        completion_window: '24h',
        expires_at: batch.created_at + 86_400,
        request_counts: { total: 3, completed: 2, failed: 1 },
      });
      const results = await scene.rows(batch.output_file_id);
      expect(results.map((row) => [row.custom_id, row.response.status_code])).toEqual([
        ['one', 200],
        ['zwölf', 200],
      ]);
      const [problem] = await scene.rows(batch.error_file_id);
      expect(problem).toMatchObject({ custom_id: 'three', response: { status_code: 400 }, error: null });
      const output = await scene.client.files.retrieve(batch.output_file_id ?? '');
      expect(output).toMatchObject({ purpose: 'batch_output', filename: `${batch.id}_output.jsonl` });
    }));

  it('creates Files that expire, and no File without lines', () =>
    withScene(async (scene) => {
      const output_expires_after = { anchor: 'created_at', seconds: 3600 };
      const batch = await scene.end((await scene.create(await scene.file(line('a')), { output_expires_after })).id);
      expect(batch.error_file_id).toBeNull();
      const file = await scene.client.files.retrieve(batch.output_file_id ?? '');
      expect(file.expires_at).toBe(file.created_at + 3600);
    }));

  it.each([
    ['a missing File', { input_file_id: 'file-none' }, 'input_file_id', 'file_not_found'],
    ['no input File', { input_file_id: undefined }, 'input_file_id', 'missing_required_parameter'],
    ['another endpoint', { endpoint: '/v1/files' }, 'endpoint', 'invalid_value'],
    ['another window', { completion_window: '1h' }, 'completion_window', 'invalid_value'],
    ['an unknown property', { priority: 1 }, 'priority', 'unknown_parameter'],
    ['17 pairs', { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, ''])) }, 'metadata', ''],
    ['a key of 65 characters', { metadata: { ['k'.repeat(65)]: '' } }, `metadata.${'k'.repeat(65)}`, ''],
    ['a value of 513 characters', { metadata: { k: 'v'.repeat(513) } }, 'metadata.k', ''],
    ['a value that is a number', { metadata: { k: 1 } }, 'metadata.k', ''],
    [
      'a short life',
      { output_expires_after: { anchor: 'created_at', seconds: 1 } },
      'output_expires_after.seconds',
      '',
    ],
  ])('rejects %s', (_, more, param, code) =>
    withScene(async (scene) => {
      const input = await scene.file(line('a'));
      const rejection = expect.objectContaining({ status: 400, param, code: code || 'invalid_value' });
      await expect(scene.create(input, more)).rejects.toEqual(rejection);
    }),
  );

  it('rejects a File with another purpose', () =>
    withScene(async (scene) => {
      const input = await scene.file(line('a'), 'fine-tune');
      await expect(scene.create(input)).rejects.toMatchObject({ status: 400, code: 'invalid_purpose' });
    }));

  it.each([
    ['text', 'nonsense\n', 1, 'invalid_json_line'],
    ['an empty line', `${line('a')}\n${line('b')}`, 2, 'invalid_json_line'],
    ['the same custom_id twice', line('a') + line('a'), 2, 'duplicate_custom_id'],
    ['another URL', line('a', { url: '/v1/embeddings' }), 1, 'invalid_request'],
    ['another method', line('a', { method: 'GET' }), 1, 'invalid_request'],
    ['an unknown property', line('a', { colour: 'red' }), 1, 'invalid_request'],
    ['a missing body', line('a', { body: undefined }), 1, 'invalid_request'],
  ])('fails a batch whose File has %s', (_, text, lineNumber, code) =>
    withScene(async (scene) => {
      const batch = await scene.end((await scene.create(await scene.file(text))).id);
      expect(batch).toMatchObject({ status: 'failed', output_file_id: null, error_file_id: null });
      expect(batch.errors?.data?.[0]).toMatchObject({ line: lineNumber, code });
    }),
  );
});

describe('GET /batches', () => {
  it('lists the newest first, in pages, also after a restart', () =>
    withTempDir(async (dataDir) => {
      const first = await startLocalApi({ dataDir });
      const scene = new Scene(first.url);
      const input = await scene.file(line('a'));
      const ids: string[] = [];
      for (let n = 0; n < 3; n += 1) ids.unshift((await scene.create(input)).id);
      for (const id of ids) await scene.end(id);
      await first.close();

      const second = await startLocalApi({ dataDir });
      try {
        const { client } = new Scene(second.url);
        const listed: string[] = [];
        for await (const { id } of client.batches.list({ limit: 2 })) listed.push(id);
        expect(listed).toEqual(ids);
        for (const query of ['limit=0', 'limit=101', 'after=batch_none'])
          await expect(client.get(`/batches?${query}`), query).rejects.toMatchObject({ status: 400 });
        const [output] = (await client.files.list({ purpose: 'batch_output' })).data;
        expect(await (await client.files.content(output?.id ?? '')).text()).toContain('"custom_id":"a"');
        expect(second.stats().totals.uploads).toBe(1);
      } finally {
        await second.close();
      }
    }));

  it('returns 404 for a batch that does not exist', () =>
    withScene(async ({ client }) => {
      await expect(client.batches.retrieve('batch_none')).rejects.toMatchObject({ status: 404 });
    }));
});

it('reruns a batch that was unfinished when the server stopped', () =>
  withTempDir(async (dataDir) => {
    const first = await startLocalApi({ dataDir });
    const scene = new Scene(first.url);
    const created = await scene.create(await scene.file(line('a')));
    await scene.end(created.id);
    await first.close();
    // As a killed server leaves it.
    const path = join(dataDir, 'batches', `${created.id}.json`);
    const { endedAt: _, ...record } = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...record, status: 'validating' }));

    const second = await startLocalApi({ dataDir });
    try {
      expect((await new Scene(second.url).end(created.id)).status).toBe('completed');
    } finally {
      await second.close();
    }
  }));
