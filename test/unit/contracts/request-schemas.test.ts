import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { requestJsonSchemas } from '../../../src/build/json-schema.ts';
import { syncRequest } from '../../../src/contracts/requests/sync.ts';
import { splitRequest, uploadRequest } from '../../../src/contracts/requests/upload.ts';
import { pagePaths, settingTables, withTables } from '../../docs/tables.ts';
import { generatedRuns, jsonText, mutated } from '../../support/mutated.ts';

const settings = {
  partSizeBytes: 1_048_576,
  concurrency: 4,
  maxSessions: 2,
  giveUpAfterMs: 0,
  md5: true,
  ignoreInode: false,
  mimeType: 'text/plain',
  fileExpiresAfterSeconds: 3600,
  priority: 3,
  fairnessKey: 'k',
  fairnessWeight: 1,
};
const range = { offsetBytes: 0, sizeBytes: 10 };
const upload = {
  source: { type: 'file', path: '/data/x.jsonl', host: 'a', range },
  within: { type: 'folder', path: '/data' },
  purpose: 'batch',
  filename: 'x.jsonl',
  destination: 'default',
  ...settings,
  limitBytesPerSecond: 131_072,
  sharedLimit: { key: 'k', bytesPerSecond: 131_072 },
  expectedFingerprint: '10-1-1',
  transferTaskQueue: 'q',
  heartbeatTimeoutMs: 1000,
};
const sync = {
  source: { type: 'folder', path: '/data', host: 'a' },
  purpose: 'batch',
  destination: 'default',
  prefix: 'p-',
  include: ['*.jsonl'],
  exclude: ['drafts/'],
  minAgeMs: 5,
  delete: true,
  maxFiles: 10,
  maxConcurrentUploads: 8,
  limitBytesPerSecond: 0,
  dryRun: false,
  upload: settings,
};

const ajv = new Ajv2020({ strict: true, strictTypes: false });
const schemas = requestJsonSchemas();

const subjects: Readonly<Record<string, readonly [file: string, schema: z.ZodType, correct: object]>> = {
  'an upload of a file': ['upload-request', uploadRequest, upload],
  'an upload from S3': [
    'upload-request',
    uploadRequest,
    { ...upload, source: { type: 's3', bucket: 'bucket', key: 'a/b', versionId: 'v', connection: 'c', range } },
  ],
  'an upload from a URL': [
    'upload-request',
    uploadRequest,
    { ...upload, source: { type: 'http', url: 'HTTPS://example.com/a', sealedQuery: 'abc', range } },
  ],
  'a split upload': ['split-upload-request', splitRequest, { ...upload, pieceSizeBytes: 1000, again: false }],
  'a sync of a folder': ['sync-request', syncRequest, sync],
  'a sync of a bucket': [
    'sync-request',
    syncRequest,
    { ...sync, source: { type: 's3', bucket: 'bucket', prefix: 'a/', connection: 'default' } },
  ],
};

describe('the JSON Schema of requests', () => {
  it.each(Object.entries(subjects))('accepts and rejects as Longhaul does: %s', (_, [file, schema, correct]) => {
    const accepts = ajv.compile(schemas[file] as object);
    expect([schema.safeParse(correct).success, accepts(correct)]).toEqual([true, true]);
    let rejected = 0;
    fc.assert(
      fc.property(mutated(correct), (variation) => {
        const value: unknown = JSON.parse(jsonText(variation));
        const parsed = schema.safeParse(value);
        // Only the schema of Longhaul counts bytes, compares properties and checks globs, names and MIME types.
        const problems = parsed.success ? [] : parsed.error.issues.filter(({ code }) => code !== 'custom');
        if (problems.length > 0) rejected++;
        expect(accepts(value) ? problems : parsed.success || []).toEqual([]);
      }),
      { numRuns: generatedRuns(150) },
    );
    expect(rejected).toBeGreaterThan(50);
  });

  it('describes each setting, and each variable of Longhaul', () => {
    const rows = settingTables();
    expect(Object.values(rows).join('')).not.toMatch(/^\| `[^|]*\|[^|]*\|\s*\|/m);
    const folder = fileURLToPath(new URL('../../../src', import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
    const texts = files.map((path) => readFileSync(join(folder, path), 'utf8')).join('');
    const named = new Set(texts.match(/\bLONGHAUL_[A-Z_]*[A-Z]\b/g));
    expect([...named].filter((name) => !rows['environment']?.includes(`| \`${name}\` |`))).toEqual([]);
  });

  it('describes each property', () => {
    const undescribed = Object.entries(schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties).flatMap(([key, { description }]) => (description ? [] : [`${name}: ${key}`])),
    );
    expect(undescribed).toEqual([]);
  });

  it.each(pagePaths)('matches the tables of %s (npm run docs-tables writes them)', (path) => {
    const page = readFileSync(path, 'utf8');
    expect(page).toMatch(/<!-- table:([\w-]+) -->\n\n\|[^]*<!-- \/table:\1 -->/);
    expect(withTables(page)).toBe(page);
  });
});
