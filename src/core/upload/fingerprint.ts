/** The fingerprint of a file (see `identitiesOf` in `src/sources/file/source.ts`) in two parts: size and time, and inode. */
const FILE = /^(\d+-[0-9a-z-]+)-([0-9a-z]+|\*)$/;

/**
 * The fingerprint of a file without its inode, which is another one after a remount of some file systems. Fingerprints
 * of other sources have no inode and are returned as they are.
 */
export function withoutInode(fingerprint: string): string {
  const [, rest] = FILE.exec(fingerprint) ?? [];
  return rest === undefined ? fingerprint : `${rest}-*`;
}

export function ignoresInode(fingerprint: string): boolean {
  return FILE.exec(fingerprint)?.[2] === '*';
}

/** Whether a source is the expected one. @param expected can be one of `withoutInode` */
export function isExpected(fingerprint: string, expected: string): boolean {
  return fingerprint === expected || (ignoresInode(expected) && withoutInode(fingerprint) === expected);
}
