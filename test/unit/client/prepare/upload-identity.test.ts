import { describe, expect, it } from 'vitest';
import { identityDigest, workflowIdOf, type UploadIdentity } from '../../../../src/client/prepare/prepare-upload.ts';

const identity: UploadIdentity = {
  source: { type: 'file', path: '/data/train.jsonl', host: 'a' },
  fingerprint: '10-x-y',
  filename: 'train.jsonl',
  purpose: 'fine-tune',
  destination: 'default',
  baseUrl: 'https://127.0.0.1/v1',
};

describe('the identity of an upload', () => {
  it('is equal for equal uploads', () => {
    expect(identityDigest(structuredClone(identity))).toBe(identityDigest(identity));
  });

  it.each<[string, Partial<UploadIdentity>]>([
    ['path', { source: { type: 'file', path: '/data/other.jsonl', host: 'a' } }],
    ['host', { source: { type: 'file', path: '/data/train.jsonl', host: 'b' } }],
    ['absence of a host', { source: { type: 'file', path: '/data/train.jsonl' } }],
    [
      'range',
      { source: { type: 'file', path: '/data/train.jsonl', host: 'a', range: { offsetBytes: 0, sizeBytes: 5 } } },
    ],
    ['fingerprint', { fingerprint: '10-x-z' }],
    ['absence of a fingerprint', { fingerprint: undefined }],
    ['filename', { filename: 'test.jsonl' }],
    ['purpose', { purpose: 'batch' }],
    ['destination', { destination: 'eu' }],
    ['base URL', { baseUrl: 'https://127.0.0.2/v1' }],
  ])('changes with the %s', (_, change) => {
    expect(identityDigest({ ...identity, ...change })).not.toBe(identityDigest(identity));
  });

  it.each(['HTTPS://127.0.0.1/v1', 'https://127.0.0.1:443/v1/', 'https://0x7f.1/v1#', 'https://127.1/a/../v1//'])(
    'is equal for the base URL %s',
    (baseUrl) => expect(identityDigest({ ...identity, baseUrl })).toBe(identityDigest(identity)),
  );

  it('differs if only the concatenation of the values is equal', () => {
    const joined = { ...identity, filename: 'ab', purpose: 'c' };
    expect(identityDigest(joined)).not.toBe(identityDigest({ ...identity, filename: 'a', purpose: 'bc' }));
  });

  it('does not change between releases, so that earlier uploads are found', () => {
    expect(identityDigest(identity)).toBe('80ef357be930278770cba7b7');
  });
});

describe('workflowIdOf', () => {
  it('starts with a readable name and ends with the digest', () => {
    expect(workflowIdOf(identity)).toBe(`longhaul-train.jsonl-${identityDigest(identity)}`);
  });

  it('replaces special characters, and shortens long names', () => {
    const id = workflowIdOf({ ...identity, filename: `année 1/${'x'.repeat(300)}` });
    expect(id).toMatch(/^longhaul-ann-e-1-x{40}-[0-9a-f]{24}$/);
  });

  it('differs for names that are equal after that', () => {
    expect(workflowIdOf({ ...identity, filename: 'a b' })).not.toBe(workflowIdOf({ ...identity, filename: 'a?b' }));
  });
});
