import * as z from 'zod';
import {
  bucket,
  manifestFile,
  manifestObject,
  fileSource,
  folder,
  httpSource,
  range,
  s3Source,
} from '../contracts/requests/sources.ts';
import { syncRequest, uploadSettings } from '../contracts/requests/sync.ts';
import { sharedLimit, splitRequest, uploadRequest } from '../contracts/requests/upload.ts';

/** The subset of JSON Schema that Longhaul uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

const toJson = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;

/** The schemas of the inputs of workflows, by the names of their files. */
export function requestJsonSchemas(): Readonly<Record<string, JsonSchema>> {
  return {
    'upload-request': toJson(uploadRequest),
    'split-upload-request': toJson(splitRequest),
    'sync-request': toJson(syncRequest),
  };
}

/** The types in the declarations of the package that are generated from schemas, by name. */
export function declaredTypes(): Readonly<Record<string, string>> {
  const named = {
    ByteRange: range,
    FileSource: fileSource,
    S3Source: s3Source,
    HttpSource: httpSource,
    FolderContainer: folder,
    BucketContainer: bucket,
    FileManifest: manifestFile,
    S3Manifest: manifestObject,
    SharedLimit: sharedLimit,
    SyncUploadSettings: uploadSettings,
    UploadRequest: uploadRequest,
    SplitUploadRequest: splitRequest,
    SyncRequest: syncRequest,
  };
  return Object.fromEntries(
    Object.entries(named).map(([name, schema]) => {
      const json = toJson(schema);
      const { description, ...rest } = json.$defs?.[name] ?? json;
      return [name, `${comment(description, '')}export interface ${name} ${typeText(rest)}\n`];
    }),
  );
}

function comment(description = '', indent: string, standard?: unknown): string {
  const text = description.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  const value = standard === undefined ? '' : ` @defaultValue \`${JSON.stringify(standard)}\``;
  return `${indent}/** ${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('…') ? '' : '.'}${value} */\n`;
}

function typeText({
  $ref,
  type,
  const: value,
  properties,
  required = [],
  items,
  oneOf,
  anyOf,
  enum: values,
}: JsonSchema): string {
  if ($ref !== undefined) return $ref.split('/').at(-1) as string;
  if (typeof value === 'number') return 'number';
  if (value !== undefined) return JSON.stringify(value).replaceAll('"', "'");
  if (values) return values.map((one) => `'${String(one)}'`).join(' | ');
  const kinds = oneOf ?? anyOf;
  if (kinds) return [...new Set(kinds.map((kind) => typeText(kind)))].join(' | ');
  if (items) return `readonly ${typeText(items)}[]`;
  if (!properties) return type === 'integer' ? 'number' : (type ?? 'unknown');
  const lines = Object.entries(properties).map(([name, property]) => {
    const mark = required.includes(name) ? '' : '?';
    const text = comment(property.description ?? 'the kind', '    ', property.default);
    return `${text}    readonly ${name}${mark}: ${typeText(property)};\n`;
  });
  return `{\n${lines.join('')}}`;
}
