import * as z from 'zod';
import { globListProblem } from '../../core/glob/glob.ts';
import { anyTextUpTo } from '../../core/text/check.ts';
import { ignoreInodeProblem } from '../../core/upload/fingerprint.ts';
import { Defaults, Limits, TextLimits } from '../limits.ts';
import { anyText, by, flag, objectCalled, whole, type Frozen } from './fields.ts';
import { container, manifest, type Container, type ManifestPlace } from './sources.ts';
import { destination, limitBytesPerSecond, purpose, settings } from './upload.ts';

/** Ten years. */
const MAX_AGE_MS = 3652 * 86_400_000;

const NO_GLOBS = 'must be a list of globs such as ["*.jsonl"]';

const globs = z
  .array(z.string(`../${NO_GLOBS}`).min(1, `../${NO_GLOBS}`), NO_GLOBS)
  .superRefine(by((list) => anyTextUpTo(TextLimits.globs)(list.join('\n')) ?? globListProblem(list)));

function prefixProblem(value: unknown): string | undefined {
  const problem = anyTextUpTo(TextLimits.name)(value);
  if (problem !== undefined) return problem;
  return /[/\p{Cc}]/u.test(value as string) ? 'must not contain slashes or control characters' : undefined;
}

/** Without an MD5, the next run could not compare the content. */
function checksumProblem({
  checksum,
  upload,
}: {
  readonly checksum?: boolean;
  readonly upload?: { readonly md5?: boolean };
}) {
  return checksum && upload?.md5 === false ? '"checksum" needs the MD5; remove "md5": false' : undefined;
}

/** One worker reads the folder and writes the manifest. */
function manifestHostProblem({
  source,
  manifest: place,
}: {
  readonly source: Container;
  readonly manifest?: ManifestPlace;
}) {
  if (place?.type !== 'file' || source.type !== 'folder' || place.host === source.host) return undefined;
  return '"manifest" must have the same "host" as "source"';
}

export const uploadSettings = z
  .strictObject(settings, objectCalled('the settings of uploads'))
  .meta({ id: 'SyncUploadSettings', description: 'settings of all uploads of a sync' });

/** Input of the workflow `syncSource`: plain JSON, as in a schedule. */
export const syncRequest = z
  .strictObject(
    {
      source: container.describe(
        '`{"type":"folder","path":"/data","host":"worker-1"}` or `{"type":"s3","bucket":"my-bucket","prefix":"data/"}`',
      ),
      purpose: purpose.describe('purpose of the Files. Only Files with this purpose are compared'),
      destination,
      prefix: anyText(TextLimits.name, prefixProblem)
        .describe("start of each File's name. Only Files whose names start with it are compared")
        .default(''),
      include: globs.describe('globs of paths within the source; default: all').default([]),
      exclude: globs.describe('globs of paths within the source, which override `include`').default([]),
      minAgeMs: whole(0, MAX_AGE_MS)
        .describe('files that changed less than this many milliseconds ago are postponed to the next run')
        .default(0),
      checksum: flag
        .describe('whether to compare files of equal size by their MD5 instead of their times')
        .default(false),
      manifest: manifest
        .describe(
          'file or object with the memory of the sync, such as `{"type":"file","path":"/state/sync.jsonl","host":"worker-1"}`; default: the memory is in Temporal',
        )
        .optional(),
      delete: flag
        .describe('whether to delete Files that this sync uploaded and whose sources are deleted')
        .default(false),
      maxFiles: whole(0, Number.MAX_SAFE_INTEGER)
        .describe(
          'maximum number of files to send, above which the sync fails before it sends anything; default: any number',
        )
        .optional(),
      maxConcurrentUploads: whole(1, Limits.maxConcurrentUploads)
        .describe('maximum number of uploads at the same time')
        .default(Defaults.maxConcurrentUploads),
      limitBytesPerSecond: limitBytesPerSecond.describe(
        'bytes per second of all uploads together on each worker that sends parts; 0: no limit',
      ),
      dryRun: flag.describe('whether to plan the actions only, without changes').default(false),
      upload: uploadSettings
        .describe(
          'settings of each upload: `partSizeBytes`, `concurrency`, `maxSessions`, `giveUpAfterMs`, `md5`, `check`, `ignoreInode`, ' +
            '`mimeType`, `fileExpiresAfterSeconds`, `priority`, `fairnessKey` and `fairnessWeight` of an upload request',
        )
        .prefault({}),
    },
    objectCalled('a sync request'),
  )
  .superRefine(by(({ source, upload }) => ignoreInodeProblem({ ...upload, source })))
  .superRefine(by(checksumProblem))
  .superRefine(by(manifestHostProblem))
  .meta({ title: 'SyncRequest', description: 'input of the workflow `syncSource`: plain JSON, as in a schedule' });

/** A request with its defaults, as the first activity of the workflow returns it. */
export type FullSyncRequest = Frozen<z.output<typeof syncRequest>>;
export type SyncRequest = Frozen<z.input<typeof syncRequest>>;
/** Settings of all uploads of a sync. */
export type SyncUploadSettings = Frozen<z.input<typeof uploadSettings>>;
