import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { encryptedDataConverter } from '../../../src/encryption/data-converter.ts';
import { EncryptionCodec } from '../../../src/encryption/codec.ts';
import { EncryptionKeys } from '../../../src/encryption/keys.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

const secret = () => randomBytes(32).toString('base64');
const payload = defaultPayloadConverter.toPayload({ filename: 'canary.jsonl' });
const valueOf = ([decoded]: Payload[]) => defaultPayloadConverter.fromPayload(decoded as Payload);

const withKeys = (content: string, run: (codec: EncryptionCodec, path: string) => Promise<void>) =>
  withTempDir(async (directory) => {
    const path = join(directory, 'keys');
    await writeFile(path, content);
    await run(new EncryptionCodec(new EncryptionKeys(path)), path);
  });

describe('EncryptionCodec', () => {
  it('encrypts with the first key and decrypts with all keys', () =>
    withKeys(`# comment\n\nfirst ${secret()}\r\nsecond ${secret()}\n`, async (codec) => {
      const [encrypted] = await codec.encode([payload]);
      expect(Buffer.from(encrypted?.metadata?.['encryption-key-id'] ?? []).toString()).toBe('first');
      expect(Buffer.from(encrypted?.data ?? []).toString('latin1')).not.toContain('canary');
      expect(valueOf(await codec.decode([encrypted as Payload]))).toEqual({ filename: 'canary.jsonl' });
      expect(await codec.decode([payload])).toEqual([payload]);
    }));

  it('reads a changed file without a restart, and keeps its keys if the file is invalid or missing', () => {
    const old = `old ${secret()}\n`;
    return withKeys(old, async (codec, path) => {
      const encrypted = await codec.encode([payload]);
      await writeFile(path, `new ${secret()}\n${old}`);
      const usesNewKey = async () => {
        const [next] = await codec.encode([payload]);
        return Buffer.from(next?.metadata?.['encryption-key-id'] ?? []).toString() === 'new';
      };
      await until(usesNewKey, 'the new key');
      for (const damage of [() => writeFile(path, 'half a li'), () => rm(path)]) {
        await damage();
        expect(valueOf(await codec.decode(encrypted))).toEqual({ filename: 'canary.jsonl' });
        expect(valueOf(await codec.decode(await codec.encode([payload])))).toEqual({ filename: 'canary.jsonl' });
      }
    });
  });

  it('rejects data of a key that was removed, also in a process that never encrypts', () =>
    withKeys(`old ${secret()}\n`, async (codec, path) => {
      const encrypted = await codec.encode([payload]);
      await writeFile(path, `new ${secret()}\n`);
      const isRejected = () =>
        codec.decode(encrypted).then(
          () => false,
          () => true,
        );
      await until(isRejected, 'the key to be gone');
    }));

  it('does not change data without a key ID, which another program sent', () =>
    withKeys(`a ${secret()}\n`, async (codec) => {
      const foreign = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('x') };
      expect(await codec.decode([foreign])).toEqual([foreign]);
    }));

  it('makes an upload wait if the key is missing or different, or the data is damaged', () =>
    withKeys(`a ${secret()}\n`, async (codec) => {
      const [encrypted] = (await codec.encode([payload])) as [Payload];
      const flipped = Buffer.from(encrypted.data ?? []);
      flipped[20] = (flipped[20] as number) ^ 1;
      const name = 'ConfigInvalid';
      for (const data of [flipped, flipped.subarray(0, 10), Buffer.alloc(0)]) {
        await expect(codec.decode([{ ...encrypted, data }])).rejects.toMatchObject({ name });
      }
      await withKeys(`a ${secret()}\n`, (other) =>
        expect(other.decode([encrypted])).rejects.toMatchObject({ name, message: expect.stringContaining('"a"') }),
      );
      await withKeys(`b ${secret()}\n`, (other) =>
        expect(other.decode([encrypted])).rejects.toMatchObject({
          name,
          message: expect.stringMatching(/the key "a", which .*keys does not contain. Add this key to the file/),
        }),
      );
    }));
});

describe('EncryptionKeys', () => {
  const good = secret();
  it.each([
    ['an empty file', '', 'contains no key'],
    ['a file of comments', '# only this\n', 'contains no key'],
    ['a key without an ID', good, 'line 1 of the encryption key file'],
    ['three words', `a b ${good}`, 'does not have two words'],
    ['a key that is too short', `a ${randomBytes(31).toString('base64')}`, 'has an invalid key'],
    ['a key that is too long', `a ${randomBytes(33).toString('base64')}`, 'has an invalid key'],
    ['a key that is not Base64', `a ${good.slice(0, -4)}!!!=`, 'has an invalid key'],
    ['an ID with invalid characters', `a/b ${good}`, 'has an invalid key ID'],
    ['the same ID twice', `a ${good}\na ${secret()}`, 'line 2'],
  ])('reject %s in one line without the key', (_, content, problem) =>
    withTempDir(async (directory) => {
      const path = join(directory, 'keys');
      await writeFile(path, content);
      expect(() => new EncryptionKeys(path)).toThrow(problem);
      expect(() => new EncryptionKeys(path)).not.toThrow(good.slice(0, 20));
      expect(() => new EncryptionKeys(join(directory, 'none'))).toThrow('does not exist');
      expect(() => new EncryptionKeys(directory)).toThrow('cannot be read: it is a directory (EISDIR)');
    }),
  );
});

it.each([undefined, null, {}, { key: 'x' }, { keyFile: 5 }, { keyFile: '' }])(
  'encryptedDataConverter(%j) reports the missing key file',
  (options) => {
    expect(() => encryptedDataConverter(options as never)).toThrow('"keyFile" must be a non-empty string.');
  },
);
