import * as z from 'zod';
import { containerNameProblem, sourceNameProblem } from '../../core/source/name-problems.ts';
import { textUpTo } from '../../core/text/check.ts';
import { quoted } from '../../core/text/clip.ts';
import { TextLimits } from '../limits.ts';
import { anyText, by, text, type Frozen } from './fields.ts';

const WRONG_RANGE = 'has an invalid "range": it must have "offsetBytes" (0 or more) and "sizeBytes" (1 or more)';

const unknownProperty = (up: string, otherwise: string) => ({
  error: (issue: { readonly code: string; readonly keys?: unknown }) =>
    up + (issue.code === 'unrecognized_keys' ? `has an unknown property ${firstOf(issue.keys)}` : otherwise),
});

function firstOf(keys: unknown): string {
  return quoted(String((keys as readonly unknown[])[0]));
}

export const range = z
  .strictObject(
    {
      offsetBytes: z.int(`../../${WRONG_RANGE}`).min(0, `../../${WRONG_RANGE}`).describe('first byte, counted from 0'),
      sizeBytes: z.int(`../../${WRONG_RANGE}`).min(1, `../../${WRONG_RANGE}`).describe('number of bytes'),
    },
    unknownProperty('../', WRONG_RANGE),
  )
  .refine(({ offsetBytes, sizeBytes }) => Number.isSafeInteger(offsetBytes + sizeBytes), `../${WRONG_RANGE}`)
  .meta({ id: 'ByteRange', description: 'some bytes of a source, as if they were a file' });

const someBytes = range.describe('bytes that are uploaded as if they were a file; default: all');

const absolutePath = text(TextLimits.path, { missing: '../needs "path", an absolute path as the worker sees it' })
  .regex(/^\//, '../needs "path", an absolute path as the worker sees it')
  .describe('absolute path, as the worker that reads it sees it');

const host = text(TextLimits.name).describe(
  'host whose worker reads the path (its `LONGHAUL_HOST`); default: any worker, for a mount that all of them share',
);

const connection = text(TextLimits.name).describe(
  'name of an S3 connection of the workers, which have its endpoint, region and credentials; default `default`',
);

const object = unknownProperty('', 'must be an object');

export const fileSource = z
  .strictObject(
    { type: z.literal('file'), path: absolutePath, host: host.optional(), range: someBytes.optional() },
    object,
  )
  .meta({ id: 'FileSource', description: 'a file on a disk' });

const NO_OBJECT = '../needs "bucket" and "key"';

const bucketName = (missing: string) => text(TextLimits.name, { missing }).describe('name of the bucket');

export const s3Source = z
  .strictObject(
    {
      type: z.literal('s3'),
      bucket: bucketName(NO_OBJECT),
      key: text(TextLimits.objectKey, { missing: NO_OBJECT }).describe('key of the object'),
      versionId: text(TextLimits.objectKey).describe('version of the object; default: the newest').optional(),
      connection: connection.optional(),
      range: someBytes.optional(),
    },
    object,
  )
  .meta({ id: 'S3Source', description: 'an object in a bucket' });

const NO_URL = '../needs "url", an http:// or https:// address without user, query and fragment, which may be secret';

export const httpSource = z
  .strictObject(
    {
      type: z.literal('http'),
      url: text(TextLimits.url, { missing: NO_URL, problem: textUpTo(TextLimits.url) })
        .regex(/^[hH][tT][tT][pP][sS]?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/, NO_URL)
        .describe('address without user, password, query and fragment: everything except the path can be secret'),
      sealedQuery: text(TextLimits.sealedQuery)
        .describe("the URL's query, such as the signature of a presigned URL, encrypted for the workers")
        .optional(),
      range: someBytes.optional(),
    },
    object,
  )
  .meta({ id: 'HttpSource', description: 'a resource of an HTTP server that supports range requests' });

const unknownType = (example: string, ...types: readonly string[]) => ({
  error: ({ code }: { readonly code: string }) =>
    code === 'invalid_union'
      ? `../has an unknown "type". Use ${types.map((type) => `"${type}"`).join(', ')}`
      : `must be an object such as ${example}`,
});

/** Where the bytes of one File come from. */
export const source = z
  .discriminatedUnion(
    'type',
    [fileSource, s3Source, httpSource],
    unknownType('{"type":"file","path":"/data/x.jsonl"}', 'file', 's3', 'http'),
  )
  .superRefine(by(sourceNameProblem))
  .meta({ id: 'Source', description: 'where the bytes of one File come from' });

export const folder = z
  .strictObject({ type: z.literal('folder'), path: absolutePath, host: host.optional() }, object)
  .meta({ id: 'FolderContainer', description: 'a directory on a disk' });

export const bucket = z
  .strictObject(
    {
      type: z.literal('s3'),
      bucket: bucketName('../needs "bucket", its name'),
      prefix: anyText(TextLimits.objectKey)
        .describe('start of the keys; paths are relative to it; default: empty')
        .optional(),
      connection: connection.optional(),
    },
    object,
  )
  .meta({ id: 'BucketContainer', description: 'the objects of a bucket whose keys start with a prefix' });

export const manifestFile = z
  .strictObject({ type: z.literal('file'), path: absolutePath, host: host.optional() }, object)
  .meta({ id: 'FileManifest', description: 'a file with the memory of a sync' });

export const manifestObject = z
  .strictObject(
    {
      type: z.literal('s3'),
      bucket: bucketName(NO_OBJECT),
      key: text(TextLimits.objectKey, { missing: NO_OBJECT }).describe('key of the object'),
      connection: connection.optional(),
    },
    object,
  )
  .meta({ id: 'S3Manifest', description: 'an object with the memory of a sync' });

/** A place for the memory of a sync. */
export const manifest = z
  .discriminatedUnion(
    'type',
    [manifestFile, manifestObject],
    unknownType('{"type":"file","path":"/state/sync.jsonl"}', 'file', 's3'),
  )
  .superRefine(by(sourceNameProblem))
  .meta({ id: 'ManifestPlace', description: 'a place for the memory of a sync' });

/** A set of sources. */
export const container = z
  .discriminatedUnion('type', [folder, bucket], unknownType('{"type":"folder","path":"/data/train"}', 'folder', 's3'))
  .superRefine(by(containerNameProblem))
  .meta({ id: 'Container', description: 'a set of sources' });

export type ByteRange = Frozen<z.output<typeof range>>;
export type FileSource = Frozen<z.output<typeof fileSource>>;
export type S3Source = Frozen<z.output<typeof s3Source>>;
export type HttpSource = Frozen<z.output<typeof httpSource>>;
/** Where the bytes of one File come from. A new kind is one more member of the schema and one more folder in `src/sources`. */
export type Source = FileSource | S3Source | HttpSource;
export type FolderContainer = Frozen<z.output<typeof folder>>;
export type BucketContainer = Frozen<z.output<typeof bucket>>;
/**
 * Folder or bucket that a sync uploads, such as `{ type: 'folder', path: '/data' }` or
 * `{ type: 's3', bucket: 'training', prefix: 'set-7/' }`. Paths are absolute, as the worker that reads them sees them.
 */
export type Container = FolderContainer | BucketContainer;
export type FileManifest = Frozen<z.output<typeof manifestFile>>;
export type S3Manifest = Frozen<z.output<typeof manifestObject>>;
/** Where the memory of a sync is: a file, or an object of a bucket. */
export type ManifestPlace = FileManifest | S3Manifest;
