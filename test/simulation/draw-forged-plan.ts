import { Dice } from './dice.ts';
import { CALM, type Action, type ForgedEnd, type Plan, type PlannedAction, type PlannedFault } from './plan.ts';

const MiB = 1024 * 1024;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const ofUpload = ['inspectSource', 'createUpload', 'uploadPart', 'hashSource', 'completeUpload', 'cancelUpload'];
const ofSync = ['recallSync', 'planSync', 'openBatch', 'sendBatch', 'packSyncMemory', 'recordSync', 'deleteFile'];

/** Activities of each workflow and of its children, which other clients end. */
export const forgeable = {
  uploadFile: ofUpload,
  uploadSplitFile: ['planSplit', ...ofUpload],
  syncSource: [...ofSync, ...ofUpload],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ForgedWorkflow = keyof typeof forgeable;

/** Those with the most values are drawn twice as often. */
const kinds: readonly ForgedEnd['end'][] = [
  'mutated',
  'failure',
  'other',
  'timeout',
  'strange',
  'cancelled',
  'mutated',
  'failure',
  'unreadable',
  'timeout',
  'none',
];

/** Draws a short plan in which another client ends an activity. Consecutive seeds have all activities and ends. */
export function drawForgedPlan(workflow: ForgedWorkflow, seed: number): Plan {
  const dice = new Dice(seed);
  const activities = forgeable[workflow];
  const activity = activities[seed % activities.length] as string;
  const end = kinds[(Math.floor(seed / activities.length) + seed) % kinds.length] as ForgedEnd['end'];
  const first = drawEnd(dice, 'end', { activity, end });
  const isSecond = dice.chance('second', 0.15);
  const second = drawEnd(dice, 'second', {
    activity: dice.one('second/activity', activities),
    end: dice.one('second/end', kinds),
  });
  return {
    ...CALM,
    seed,
    request: {
      partSizeBytes: MiB,
      concurrency: dice.whole('concurrency', 1, 4),
      maxSessions: dice.whole('sessions', 1, 3),
      giveUpAfterMs: dice.one('give-up', [0, 10 * MINUTE, HOUR, 24 * HOUR]),
      ...(dice.chance('no-md5', 0.2) ? { md5: false } : {}),
      ...(workflow !== 'syncSource' && dice.chance('sha256', 0.2) ? { sha256: true } : {}),
    },
    sizeBytes: (dice.one('parts', workflow === 'uploadSplitFile' ? [2, 4] : [1, 3]) - 0.5) * MiB,
    style: {
      ...CALM.style,
      isStrict: dice.chance('strict', 0.5),
      endedStatus: dice.one('ended', [400, 404, 409, 410]),
    },
    partMs: [100, 1000],
    suggestAfterEvents: dice.chance('short-history', 0.2) ? dice.whole('events', 25, 80) : 4000,
    evictChance: dice.one('evict', [0, 0, 0, 0.2]),
    hasAttributes: dice.chance('attributes', 0.5),
    ...(workflow === 'uploadSplitFile' ? { pieces: 2 } : {}),
    ...(workflow === 'syncSource' ? folderOf(dice, activity) : {}),
    faults: drawFaults(dice, activity),
    actions: [...drawActions(dice, activity), ...(workflow === 'syncSource' ? drawEdits(activity) : [])],
    forgedEnds: isSecond ? [first, second] : [first],
  };
}

function drawEnd(dice: Dice, key: string, { activity, end }: Pick<ForgedEnd, 'activity' | 'end'>): ForgedEnd {
  const moment = end === 'mutated' ? 'instead' : dice.one(`${key}/moment`, ['queued', 'running', 'instead'] as const);
  const nth = dice.one(`${key}/nth`, activity === 'uploadPart' ? [1, 2, 3] : [1, 1, 1, 2]);
  return { activity, nth, moment, end, seed: dice.whole(`${key}/seed`, 0, 2 ** 31) };
}

const SMALL_FILES = 2;
/** Their effect is in the next run. */
const ofNextRun = ['recallSync', 'packSyncMemory', 'recordSync', 'deleteFile'];

function folderOf(dice: Dice, activity: string): Pick<Plan, 'folder'> {
  const small = Array.from({ length: SMALL_FILES }, (_, index) => ({
    path: `f${index}.jsonl`,
    sizeBytes: 10 + index,
  }));
  return {
    folder: {
      files: [...small, { path: 'large.jsonl', sizeBytes: 1.5 * MiB }],
      deletes: activity === 'deleteFile' || dice.chance('deletes', 0.3),
      maxConcurrentUploads: dice.whole('uploads', 1, 3),
      batchFiles: dice.one('batch', [2, 200]),
      runs: ofNextRun.includes(activity) || dice.chance('second-run', 0.2) ? 2 : 1,
      hasManifest: activity === 'recordSync' || (activity !== 'packSyncMemory' && dice.chance('manifest', 0.2)),
    },
  };
}

/** The second run deletes the File of a file that was removed after it was sent. */
function drawEdits(activity: string): PlannedAction[] {
  if (activity !== 'deleteFile') return [];
  const when = { call: 'completeUpload', nth: SMALL_FILES + 1, plusMs: 0 } as const;
  return [{ when, action: { kind: 'edit-folder', edit: 'remove', path: 'f0.jsonl' } }];
}

/** A session is cancelled if it is replaced. */
function drawFaults(dice: Dice, activity: string): PlannedFault[] {
  const isCancelled = activity === 'cancelUpload' || dice.chance('fault', 0.15);
  if (!isCancelled) return [];
  const lost = { call: 'completeUpload', nth: 1, fault: { kind: 'lost' } } as const;
  const ends = { call: 'addPart', nth: 1, fault: { kind: 'session-ends', status: 'cancelled' } } as const;
  return [dice.one<PlannedFault>('kind', [lost, ends, ends])];
}

/** The operator acts after the forged end, or not at all. */
function drawActions(dice: Dice, activity: string): PlannedAction[] {
  const plusMs = dice.one('plus', [0, 500, 10 * SECOND, 6 * MINUTE]);
  const when = { call: 'forgedEnd', nth: 1, plusMs } as const;
  const cancel: Action = { kind: 'cancel' };
  if (activity === 'cancelUpload' && dice.chance('cancels-first', 0.4))
    return [{ when: { call: 'addPart', nth: 1, plusMs: 50 }, action: cancel }];
  const action = dice.weighted<Action | undefined>('action', [
    [4, undefined],
    [3, { kind: 'retry' }],
    [2, cancel],
    [1, { kind: 'pause', parts: dice.one('pause', ['finish', 'stop']) }],
  ]);
  return action ? [{ when, action }] : [];
}
