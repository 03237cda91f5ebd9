import { join } from 'node:path';
import { packedRows } from '../../../../activities/sync/memory-rows.ts';
import { KnownFiles } from '../../../../src/core/sync/known-files.ts';
import { SyncManifest } from '../../../../activities/sync/manifest/manifest.ts';
import type { SyncScope } from '../../../../src/contracts/plan-sync.ts';
import type { RememberedFile } from '../../../../src/contracts/sync.ts';
import { Sources } from '../../../../src/sources/sources.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

export const { signal } = new AbortController();

export const scope: SyncScope = {
  source: { type: 'folder', path: '/data' },
  destination: 'default',
  purpose: 'batch',
  prefix: '',
  include: [],
  exclude: [],
};

export const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';

export function entry(path: string, changes: Partial<RememberedFile> = {}): RememberedFile {
  const version = 1_790_000_000_123_456_789n.toString(36);
  return { path, sizeBytes: 5, version, fileId: `file-${path}`, md5: MD5, createdAt: 1_790_000_000, ...changes };
}

export async function rowsOf(manifest: SyncManifest, stop: AbortSignal): Promise<RememberedFile[]> {
  const known = new KnownFiles([], packedRows());
  await manifest.read((one) => known.remember(one), stop);
  return [...known.entries([])];
}

export async function open(path: string, changes: Partial<SyncScope> = {}) {
  const place = { type: 'file', path } as const;
  const store = await new Sources({ any: true }).manifest(place);
  const manifest = new SyncManifest(store, { ...scope, manifest: place, ...changes });
  return {
    read: (stop: AbortSignal) => rowsOf(manifest, stop),
    record: (...args: Parameters<SyncManifest['record']>) => manifest.record(...args),
  };
}

export const withManifest = (body: (path: string) => Promise<void>) =>
  withTempDir((directory) => body(join(directory, 'sync.jsonl')));

export const row = (path: string, changes: object = {}) =>
  JSON.stringify({
    path,
    size: 5,
    time: '2026-09-21T15:33:20.123456789Z',
    md5: MD5,
    fileId: `file-${path}`,
    ...changes,
  });
