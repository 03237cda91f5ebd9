import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { writeFileAtomic, DIRECTORY_MODE } from '../private-files.ts';
import type { UploadStore } from '../upload-store.ts';
import { type BatchProblem, type BatchRecord, InputLines, wholeFile, type BatchRequest } from './batch.ts';

/** "The file … can be up to 200 MB in size." */
const MAX_INPUT_BYTES = 200_000_000;

type NewBatch = Pick<BatchRecord, 'inputFileId' | 'endpoint' | 'metadata' | 'outputLifeSeconds'>;

/**
 * Batches in the data directory. A batch is checked and run in the background, as soon as it was created. One that a killed
 * server has not finished is run again at the next start.
 */
export class BatchStore {
  readonly #directory: string;
  readonly #files: UploadStore;
  readonly #nowMs: () => number;
  /** Oldest first. */
  readonly #batches = new Map<string, BatchRecord>();
  readonly #running = new Set<Promise<void>>();
  #lastOrderMs = 0;

  private constructor(directory: string, files: UploadStore, nowMs: () => number) {
    this.#directory = directory;
    this.#files = files;
    this.#nowMs = nowMs;
  }

  /** @throws ConfigError if a record cannot be read */
  static async open(dataDir: string, files: UploadStore, nowMs: () => number = Date.now): Promise<BatchStore> {
    const store = new BatchStore(join(dataDir, 'batches'), files, nowMs);
    await mkdir(store.#directory, { recursive: true, mode: DIRECTORY_MODE });
    const names = (await readdir(store.#directory)).filter((name) => name.endsWith('.json'));
    const records = await Promise.all(names.map((name) => readRecord(join(store.#directory, name))));
    for (const record of records.toSorted((one, other) => one.orderMs - other.orderMs)) {
      store.#batches.set(record.id, record);
      store.#lastOrderMs = record.orderMs;
      if (record.endedAt === undefined) store.#start(record);
    }
    return store;
  }

  async create(input: NewBatch): Promise<BatchRecord> {
    this.#lastOrderMs = Math.max(this.#lastOrderMs + 1, this.#nowMs());
    const record: BatchRecord = {
      id: `batch_${randomUUID().replaceAll('-', '')}`,
      ...input,
      createdAt: this.#nowSeconds(),
      orderMs: this.#lastOrderMs,
      status: 'validating',
      counts: { total: 0, completed: 0, failed: 0 },
    };
    await this.#write(record);
    this.#start(record);
    return record;
  }

  get(batchId: string): BatchRecord | undefined {
    return this.#batches.get(batchId);
  }

  /** Newest first. */
  list(): BatchRecord[] {
    return [...this.#batches.values()].toReversed();
  }

  /** Waits for the batches that run. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #start(batch: BatchRecord): void {
    const done = this.#run(batch)
      .catch((error: unknown) => this.#fail(batch, [wholeFile('internal_error', String(error))]))
      .catch(() => undefined) // Such as a directory that was deleted: run again at the next start.
      .finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  async #run(batch: BatchRecord): Promise<void> {
    const input = await this.#read(batch);
    if (input.problems.length > 0) {
      await this.#fail(batch, input.problems);
      return;
    }
    const total = input.requests.length;
    const counts = { total, completed: 0, failed: 0 };
    const running: BatchRecord = { ...batch, status: 'in_progress', inProgressAt: this.#nowSeconds(), counts };
    await this.#write(running);
    const lines = input.requests.map((request) => outcomeOf(batch, request));
    const failed = lines.filter(({ isError }) => isError);
    const completed = lines.filter(({ isError }) => !isError);
    await this.#write({
      ...running,
      status: 'completed',
      endedAt: this.#nowSeconds(),
      outputFileId: await this.#addFile(batch, 'output', completed),
      errorFileId: await this.#addFile(batch, 'error', failed),
      counts: { total, completed: completed.length, failed: failed.length },
    });
  }

  async #read({ endpoint, inputFileId }: BatchRecord): Promise<Pick<InputLines, 'requests' | 'problems'>> {
    const found = this.#files.getFile(inputFileId);
    if (found === undefined) return unusable('file_not_found', `No such File: '${inputFileId}'.`);
    const { upload, file } = found;
    if (file.bytes > MAX_INPUT_BYTES) {
      return unusable('file_too_large', `An input File can have at most ${MAX_INPUT_BYTES} bytes.`);
    }
    const paths = file.partIds.map((partId) => this.#files.partPath(upload.record.id, partId));
    const lines = new InputLines(endpoint);
    for await (const text of linesOf(paths)) {
      if (!lines.add(text)) break;
    }
    lines.end();
    return lines;
  }

  async #addFile(batch: BatchRecord, kind: 'output' | 'error', lines: readonly Outcome[]): Promise<string | undefined> {
    if (lines.length === 0) return undefined;
    const file = await this.#files.addOutput({
      filename: `${batch.id}_${kind}.jsonl`,
      content: lines.map(({ line }) => `${JSON.stringify(line)}\n`).join(''),
      lifeSeconds: batch.outputLifeSeconds,
    });
    return file.id;
  }

  async #fail(batch: BatchRecord, problems: readonly BatchProblem[]): Promise<void> {
    await this.#write({ ...batch, status: 'failed', endedAt: this.#nowSeconds(), problems });
  }

  async #write(record: BatchRecord): Promise<void> {
    await writeFileAtomic(join(this.#directory, `${record.id}.json`), JSON.stringify(record));
    this.#batches.set(record.id, record);
  }

  #nowSeconds(): number {
    return Math.floor(this.#nowMs() / 1000);
  }
}

interface Outcome {
  readonly isError: boolean;
  readonly line: unknown;
}

/** The local API has no model. Each request succeeds, unless its body does not name one. */
function outcomeOf(batch: BatchRecord, { custom_id, body }: BatchRequest): Outcome {
  const isError = typeof body.model !== 'string' || body.model === '';
  const message = "Missing required parameter: 'model'.";
  const problem = { message, type: 'invalid_request_error', param: 'model', code: 'missing_required_parameter' };
  const response = {
    status_code: isError ? 400 : 200,
    request_id: `req_${randomUUID().replaceAll('-', '')}`,
    body: isError ? { error: problem } : { object: 'local_api.result', endpoint: batch.endpoint, model: body.model },
  };
  return { isError, line: { id: `batch_req_${randomUUID().replaceAll('-', '')}`, custom_id, response, error: null } };
}

function unusable(code: string, message: string): Pick<InputLines, 'requests' | 'problems'> {
  return { requests: [], problems: [wholeFile(code, message)] };
}

async function* linesOf(paths: readonly string[]): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for (const path of paths) {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

async function readRecord(path: string): Promise<BatchRecord> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as BatchRecord;
  } catch (error) {
    throw new ConfigError(`${path} is damaged. Remove it, or choose another data directory.`, { cause: error });
  }
}
