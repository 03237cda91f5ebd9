import { expect, it } from 'vitest';
import { ignoresInode, isExpected, withoutInode } from '../../../../src/core/upload/fingerprint.ts';

it.each([
  ['1048576-dv1xzcqz3n40-2k9f', '1048576-dv1xzcqz3n40-*'],
  ['10--5k-z', '10--5k-*'],
  ['10-v-*', '10-v-*'],
])('the fingerprint %s of a file is expected with any inode', (fingerprint, any) => {
  expect(withoutInode(fingerprint)).toBe(any);
  expect(ignoresInode(any)).toBe(true);
  expect(isExpected(fingerprint, any)).toBe(true);
  expect(isExpected(fingerprint, fingerprint)).toBe(true);
  expect(isExpected(fingerprint.replace('10', '11'), any)).toBe(false);
  expect(isExpected(any.replace('-*', 'x-1'), any)).toBe(false);
});

it.each(['10-d41d8cd98f00b204e9800998ecf8427e', '10-"etag"-1', 'Wed, 21 Oct 2026 07:28:00 GMT', '10-*', '*'])(
  'the fingerprint %s of another source has no inode',
  (fingerprint) => {
    expect(withoutInode(fingerprint)).toBe(fingerprint);
    expect(ignoresInode(fingerprint)).toBe(false);
  },
);

it('an exact fingerprint expects its inode', () => {
  expect(isExpected('10-v-2', '10-v-1')).toBe(false);
});
