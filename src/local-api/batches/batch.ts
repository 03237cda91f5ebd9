import * as z from 'zod';
import { parseJson } from '../../core/text/parse.ts';

/** One problem of an input File, as the service reports it. */
export interface BatchProblem {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  /** Number of the line, from 1; null: the whole File. */
  readonly line: number | null;
}

/** A batch as it is stored. Times are Unix seconds. */
export interface BatchRecord {
  readonly id: string;
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Lifetime of its output Files. */
  readonly outputLifeSeconds?: number;
  readonly createdAt: number;
  /** Milliseconds that never repeat: the order of the list. */
  readonly orderMs: number;
  readonly status: 'validating' | 'in_progress' | 'failed' | 'completed';
  readonly inProgressAt?: number;
  readonly endedAt?: number;
  readonly problems?: readonly BatchProblem[];
  readonly outputFileId?: string;
  readonly errorFileId?: string;
  readonly counts: { readonly total: number; readonly completed: number; readonly failed: number };
}

const WINDOW_SECONDS = 24 * 3600;

/** The Batch object of the API. */
export function toBatchObject(batch: BatchRecord): Record<string, unknown> {
  const { status, endedAt, problems } = batch;
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    errors: problems === undefined ? null : { object: 'list', data: problems },
    input_file_id: batch.inputFileId,
    completion_window: '24h',
    status,
    output_file_id: batch.outputFileId ?? null,
    error_file_id: batch.errorFileId ?? null,
    created_at: batch.createdAt,
    in_progress_at: batch.inProgressAt ?? null,
    expires_at: batch.createdAt + WINDOW_SECONDS,
    completed_at: status === 'completed' ? endedAt : null,
    failed_at: status === 'failed' ? endedAt : null,
    request_counts: batch.counts,
    metadata: batch.metadata,
  };
}

export const batchEndpoints = [
  '/v1/responses',
  '/v1/chat/completions',
  '/v1/embeddings',
  '/v1/completions',
  '/v1/moderations',
  '/v1/images/generations',
  '/v1/images/edits',
  '/v1/videos',
] as const;

/** "The file can contain up to 50,000 requests." */
const MAX_REQUESTS = 50_000;

/** Problems that a failed batch lists. */
const MAX_PROBLEMS = 20;

export interface BatchRequest {
  readonly custom_id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Checks the lines of an input File, one after the other. */
export class InputLines {
  readonly requests: BatchRequest[] = [];
  readonly problems: BatchProblem[] = [];
  readonly #schema: z.ZodType<BatchRequest>;
  readonly #ids = new Set<string>();
  #line = 0;

  constructor(endpoint: string) {
    this.#schema = z.strictObject({
      custom_id: z.string().min(1, 'must not be empty'),
      method: z.literal('POST', 'must be POST'),
      url: z.literal(endpoint, `must be ${endpoint}, the endpoint of the batch`),
      body: z.record(z.string(), z.unknown()),
    });
  }

  /** @returns false if no more lines are needed: the batch has failed */
  add(text: string): boolean {
    this.#line += 1;
    const value = parseJson(text);
    if (value === undefined) {
      return this.#reject('invalid_json_line', 'This line is not a valid JSON object.', null);
    }
    const { success, data, error } = this.#schema.safeParse(value);
    if (!success) {
      const issue = error.issues[0];
      const keys = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
      const param = [...(issue?.path ?? []), ...keys].join('.');
      return this.#reject('invalid_request', `${param || 'the line'}: ${issue?.message}.`, param || null);
    }
    if (this.#ids.has(data.custom_id)) {
      return this.#reject('duplicate_custom_id', `The custom_id '${data.custom_id}' is not unique.`, 'custom_id');
    }
    this.#ids.add(data.custom_id);
    this.requests.push(data);
    if (this.requests.length <= MAX_REQUESTS) return true;
    return this.#reject('too_many_tasks', `A batch can have at most ${MAX_REQUESTS} requests.`, null);
  }

  end(): void {
    if (this.#line === 0) this.problems.push(wholeFile('empty_file', 'The File has no requests.'));
  }

  #reject(code: string, message: string, param: string | null): boolean {
    this.problems.push({ code, message, param, line: this.#line });
    return this.problems.length < MAX_PROBLEMS && code !== 'too_many_tasks';
  }
}

export function wholeFile(code: string, message: string): BatchProblem {
  return { code, message, param: null, line: null };
}
