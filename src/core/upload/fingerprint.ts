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

/** Only a file has an inode, and only the MD5 shows whether a file with another inode is the same. */
export function ignoreInodeProblem(request: {
  readonly ignoreInode?: boolean;
  readonly md5?: unknown;
  readonly source: { readonly type?: unknown };
}): string | undefined {
  const { ignoreInode, md5, source } = request;
  if (ignoreInode !== true) return undefined;
  if (source.type === 's3' || source.type === 'http') return '"ignoreInode" is for files; remove it';
  return md5 === false ? '"ignoreInode" needs the MD5, which detects other content; remove "md5": false' : undefined;
}

/** Each piece is consistent, but nothing shows that two pieces are of one content. */
export const SPLIT_IGNORES_NO_INODE =
  '"ignoreInode" cannot be used for a split upload, whose pieces have no common MD5; remove it';
