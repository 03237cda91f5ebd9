import type { HashedSource, HashSourceInput, HashSourceResult } from '../../contracts/activities.ts';
import type { ContentReport, HashCheckpoint } from '../../contracts/content.ts';
import { ignoresInode } from '../../core/upload/fingerprint.ts';
import { SourceReadError } from '../../errors.ts';
import { assertUnchanged, type SourceReader } from '../source-reader.ts';
import { JsonlCheck } from './jsonl.ts';
import { Md5 } from './md5.ts';
import { pass, type PassCheckpoint, type PassTimes } from './pass.ts';
import { Sha256 } from './sha256.ts';

interface DigestOptions extends Pick<HashSourceInput, 'check' | 'maxLines' | 'sha256'> {
  readonly md5: boolean;
}

/** Returns the listeners for the digests of a source and for the check of its content. */
export function digestsOf({ md5, sha256, check, maxLines }: DigestOptions) {
  return {
    md5: md5 ? new Md5() : undefined,
    sha256: sha256 ? new Sha256() : undefined,
    check: check && new JsonlCheck({ check, maxLines }),
  };
}

/** The report of content that is invalid. */
export interface InvalidContent {
  readonly invalid: ContentReport;
}

/** The result of listeners that received the whole source. @param storedMd5 MD5 that the store has */
export function resultOf(
  { md5, sha256, check }: ReturnType<typeof digestsOf>,
  storedMd5?: string,
): HashedSource | InvalidContent {
  const report = check?.end();
  if (report && report.invalid > 0) return { invalid: report };
  const warnings = report && report.warnings.length > 0 ? report.warnings : undefined;
  return { md5: storedMd5 ?? md5?.end() ?? '', sha256: sha256?.end(), warnings };
}

export type PassResult = HashSourceResult | InvalidContent;

export interface HashReaderOptions
  extends PassTimes, Pick<HashSourceInput, 'check' | 'maxLines' | 'onlyCheck' | 'sha256'> {
  readonly fingerprint: string;
  readonly resumeFrom?: HashCheckpoint | undefined;
  readonly onCheckpoint: (checkpoint: HashCheckpoint) => void;
  readonly isStopping: () => boolean;
  /** MD5 that the store has, so that it is not computed. */
  readonly storedMd5?: string | undefined;
}

/** Passes over a source whose identity changes while it is read, as by `chmod`. */
const MAX_PASSES = 3;

/**
 * MD5 and SHA-256 of a source, and the check of its content, in one pass. They are of one identity of the source: a checkpoint of
 * another one is ignored, and a pass is repeated if the identity changes, so that a digest is never of the start of one
 * content and the end of another.
 *
 * @throws SourceChangedError if the source is another one before or after the pass, or ends too early
 * @throws SourceReadError if its identity changes during each of several passes
 */
export async function hashReader(
  reader: SourceReader,
  { fingerprint, resumeFrom, onCheckpoint, check, maxLines, onlyCheck, sha256, storedMd5, ...times }: HashReaderOptions,
): Promise<PassResult> {
  let last = resumeFrom;
  const create = () => digestsOf({ md5: onlyCheck !== true && storedMd5 === undefined, sha256, check, maxLines });
  for (let number = 1; number <= MAX_PASSES; number++) {
    await assertUnchanged(reader, fingerprint);
    const identity = reader.identity?.();
    const identified = ({ offsetBytes, states }: PassCheckpoint): HashCheckpoint => ({
      offsetBytes,
      state: states['md5'] ?? '',
      check: states['check'],
      identity,
    });
    const isSame = last?.identity === identity;
    const { listeners, checkpoint } = await pass(reader, {
      ...times,
      create,
      resumeFrom: last && isSame ? { ...last, states: { md5: last.state, check: last.check ?? '' } } : undefined,
      onCheckpoint: (reached) => onCheckpoint(identified(reached)),
    });
    if (checkpoint) return { checkpoint: identified(checkpoint) };
    const now = await assertUnchanged(reader, fingerprint);
    if (reader.identity?.() === identity) {
      const result = resultOf(listeners, storedMd5);
      // A caller that expects any inode receives the current one.
      return 'md5' in result && ignoresInode(fingerprint) ? { ...result, fingerprint: now.fingerprint } : result;
    }
    last = undefined;
  }
  throw new SourceReadError('the change time of the source changed each time it was read. Do not touch it for a while');
}
