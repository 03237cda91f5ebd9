import * as z from 'zod';
import type { Handler } from '../api-context.ts';
import { batchEndpoints, toBatchObject } from '../batches/batch.ts';
import { badRequest, notFound, validate } from '../errors.ts';
import { readJson } from '../read-body.ts';
import { pageOf } from './page.ts';
import { fileLife } from './uploads.ts';

const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 20;

const createSchema = z.strictObject({
  input_file_id: z.string().min(1, 'must not be empty'),
  endpoint: z.enum(batchEndpoints, `must be one of ${batchEndpoints.join(', ')}`),
  completion_window: z.literal('24h', 'must be 24h'),
  metadata: z
    .record(z.string().max(64, 'must be at most 64 characters'), z.string().max(512, 'must be at most 512 characters'))
    .refine((pairs) => Object.keys(pairs).length <= 16, 'must have at most 16 pairs')
    .nullish(),
  output_expires_after: fileLife.optional(),
});

/** The content of the input File is checked afterwards: a batch with invalid lines has the status `failed`. */
export const createBatch: Handler = async ({ store, batches }, { message }) => {
  const input = validate(createSchema, await readJson(message));
  const file = store.getFile(input.input_file_id)?.file;
  if (file === undefined) {
    throw badRequest(`No such File: '${input.input_file_id}'.`, 'input_file_id', 'file_not_found');
  }
  if (file.purpose !== 'batch') {
    const problem = `File '${file.id}' has the purpose '${file.purpose}', not 'batch'.`;
    throw badRequest(problem, 'input_file_id', 'invalid_purpose');
  }
  const batch = await batches.create({
    inputFileId: file.id,
    endpoint: input.endpoint,
    metadata: input.metadata ?? null,
    outputLifeSeconds: input.output_expires_after?.seconds,
  });
  return { status: 200, json: toBatchObject(batch) };
};

export const retrieveBatch: Handler = async ({ batches }, { id }) => {
  const batch = batches.get(id);
  if (batch === undefined) throw notFound(`No such Batch: '${id}'.`, 'batch_not_found');
  return { status: 200, json: toBatchObject(batch) };
};

/** Newest first. */
export const listBatches: Handler = async ({ batches }, { query }) => {
  const limits = { maximum: MAX_LIMIT, default: DEFAULT_LIMIT };
  return { status: 200, json: pageOf(batches.list(), { query, limits, kind: 'Batch', toObject: toBatchObject }) };
};
