import { z } from 'zod';
import { syncRequest } from './sync.ts';
import { splitRequest, uploadRequest } from './upload.ts';

/** What Longhaul uses of JSON Schema. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

/** The schemas of the inputs of workflows, by the names of their files. */
export function requestJsonSchemas(): Readonly<Record<string, JsonSchema>> {
  const schemas = {
    'upload-request': uploadRequest,
    'split-upload-request': splitRequest,
    'sync-request': syncRequest,
  };
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, z.toJSONSchema(schema, { io: 'input' }) as JsonSchema]),
  );
}
