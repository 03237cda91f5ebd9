import { describe, expect, it } from 'vitest';
import { SyncBytes, type UploadLook } from '../../../../src/client/follow/sync-bytes.ts';
import type { SyncCounts } from '../../../../src/contracts/sync.ts';

const counts: SyncCounts = {
  listed: { files: 50, bytes: 5000 },
  same: 0,
  knownContent: 0,
  toSend: { files: 50, bytes: 5000 },
  sent: { files: 1, bytes: 100 },
  failed: 0,
  leftOut: 0,
  toDelete: 0,
  deleted: 0,
};

/** Uploads that tell what the test says of them, and nothing when it says nothing. */
function scene() {
  const told = new Map<string, UploadLook | undefined>();
  const asked: string[] = [];
  const bytes = new SyncBytes(async (workflowId) => {
    asked.push(workflowId);
    if (!told.has(workflowId)) throw new Error('no worker');
    return told.get(workflowId);
  }, 8);
  return { told, asked, bytes };
}

describe('the bytes of a sync', () => {
  it('are those of whole files and of the uploads under way, and small files are not asked for', async () => {
    const { told, asked, bytes } = scene();
    expect(await bytes.measure(counts, [])).toBe(100);
    expect(asked).toEqual([]);
    told.set('a', { uploadId: 'u1', bytesSent: 10 });
    expect(await bytes.measure(counts, ['a', 'unanswered'])).toBe(110);
    told.delete('a');
    expect(await bytes.measure(counts, ['a']), 'as far as is known').toBe(110);
  });

  it('are never more than what there is to send', async () => {
    const { told, bytes } = scene();
    told.set('a', { uploadId: 'u1', bytesSent: 9999 });
    expect(await bytes.measure(counts, ['a'])).toBe(5000);
  });

  it('do not jump back when an upload has ended and is not counted yet, nor when a heartbeat has vanished', async () => {
    const { told, bytes } = scene();
    told.set('a', { uploadId: 'u1', bytesSent: 90 });
    expect(await bytes.measure(counts, ['a'])).toBe(190);
    told.set('a', { uploadId: 'u1', bytesSent: 80 });
    expect(await bytes.measure(counts, ['a'])).toBe(190);
    told.set('a', undefined);
    expect(await bytes.measure(counts, ['a'])).toBe(190);
    expect(await bytes.measure({ ...counts, sent: { files: 2, bytes: 200 } }, [])).toBe(200);
  });

  it('go back for a lost session and for a failed upload', async () => {
    const { told, bytes } = scene();
    told.set('a', { uploadId: 'u1', bytesSent: 90 });
    await bytes.measure(counts, ['a']);
    told.set('a', { uploadId: 'u2', bytesSent: 5 });
    expect(await bytes.measure(counts, ['a'])).toBe(105);
    expect(await bytes.measure({ ...counts, failed: 1 }, [])).toBe(100);
  });

  it('ask eight uploads at a time, in turns', async () => {
    const { told, asked, bytes } = scene();
    const uploads = Array.from({ length: 20 }, (_, index) => `upload-${index}`);
    for (const upload of uploads) told.set(upload, { uploadId: upload, bytesSent: 10 });
    expect(await bytes.measure(counts, uploads)).toBe(180);
    expect(asked).toHaveLength(8);
    await bytes.measure(counts, uploads);
    expect(await bytes.measure(counts, uploads)).toBe(300);
    expect(asked).toHaveLength(24);
    expect(new Set(asked).size).toBe(20);
  });
});
