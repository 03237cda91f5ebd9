import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HashCheckpoint } from '../../../../src/contracts/activities.ts';
import { hashReader } from '../../../../src/sources/digest/pass.ts';
import type { SourceReader } from '../../../../src/sources/source-reader.ts';

const CHUNK_BYTES = 64;
const md5 = (content: Buffer) => createHash('md5').update(content).digest('hex');

/** A source whose content and identity a test can replace while its fingerprint stays the same. */
function source(content: Buffer) {
  const state = { content, identity: 'first', onRead: () => {} };
  const reader: SourceReader = {
    stat: async () => ({ sizeBytes: state.content.byteLength, fingerprint: 'f' }),
    read: async (buffer, offsetBytes) => {
      state.onRead();
      return state.content.copy(buffer, 0, offsetBytes);
    },
    identity: () => state.identity,
    close: async () => {},
  };
  const hash = (options: { resumeFrom?: HashCheckpoint; isStopping?: () => boolean } = {}) =>
    hashReader(reader, {
      fingerprint: 'f',
      sizeBytes: content.byteLength,
      chunkBytes: CHUNK_BYTES,
      checkpointEveryMs: 0,
      onCheckpoint: () => {},
      isStopping: () => false,
      ...options,
    });
  return { state, hash };
}

describe('hashReader', () => {
  const [before, after] = [Buffer.alloc(1000, 'a'), Buffer.alloc(1000, 'b')];

  it('continues from a checkpoint of the same identity', async () => {
    const { hash, state } = source(before);
    const stopped = await hash({ isStopping: () => true });
    if (!('checkpoint' in stopped)) throw new Error('it did not stop');
    expect(stopped.checkpoint).toMatchObject({ offsetBytes: CHUNK_BYTES, identity: 'first' });
    let reads = 0;
    state.onRead = () => reads++;
    expect(await hash({ resumeFrom: stopped.checkpoint })).toEqual({ md5: md5(before) });
    expect(reads).toBe(Math.ceil(1000 / CHUNK_BYTES) - 1);
  });

  it('starts again if the source has another identity than the checkpoint, so that no digest is a mix', async () => {
    const { hash, state } = source(before);
    const stopped = await hash({ isStopping: () => true });
    if (!('checkpoint' in stopped)) throw new Error('it did not stop');
    Object.assign(state, { content: after, identity: 'second' });
    expect(await hash({ resumeFrom: stopped.checkpoint })).toEqual({ md5: md5(after) });
  });

  it('repeats a pass during which the identity changed, and fails if it changes each time', async () => {
    const { hash, state } = source(before);
    let reads = 0;
    state.onRead = () => {
      if (++reads === 5) Object.assign(state, { content: after, identity: 'second' });
    };
    expect(await hash()).toEqual({ md5: md5(after) });
    state.onRead = () => Object.assign(state, { identity: `${reads++}` });
    await expect(hash()).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED' });
  });
});
