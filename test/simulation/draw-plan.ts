import { Dice } from './dice.ts';
import type { Action, Call, Fault, Outage, Plan, PlannedAction, PlannedFault, When } from './plan.ts';
import type { FolderEdit } from './source.ts';
import type { ServiceStyle } from './service.ts';

const MiB = 1024 * 1024;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Draws a plan; the same seed gives the same plan. */
export function drawPlan(seed: number): Plan {
  const dice = new Dice(seed);
  const parts = dice.weighted('parts', [
    [2, 1],
    [3, dice.whole('few', 2, 5)],
    [4, dice.whole('many', 6, 12)],
  ]);
  const partSizeBytes = dice.whole('part-size', 1, 4) * MiB;
  const sizeBytes = parts * partSizeBytes - dice.whole('rest', 0, MiB - 1);
  const partMs = dice.weighted<readonly [number, number]>('part-ms', [
    [5, [100, 3000]],
    [2, [1000, 60_000]],
    [2, [MINUTE, 4 * MINUTE + 45_000]],
  ]);
  return {
    seed,
    request: {
      partSizeBytes,
      concurrency: dice.whole('concurrency', 1, 8),
      maxSessions: dice.whole('sessions', 1, 4),
      giveUpAfterMs: dice.weighted('give-up', [
        [1, 24 * HOUR],
        [4, HOUR],
        [2, 10 * MINUTE],
        [1, 0],
      ]),
      ...(dice.chance('no-md5', 0.2) ? { md5: false } : {}),
      ...(dice.chance('sha256', 0.3) ? { sha256: true } : {}),
      ...(dice.chance('check', 0.15) ? { check: 'jsonl' as const } : {}),
      ...(dice.chance('beat', 0.2) ? { heartbeatTimeoutMs: dice.one('beat-ms', [2000, 5000, 60_000]) } : {}),
    },
    sizeBytes,
    hasInvalidContent: dice.chance('invalid-content', 0.5),
    style: drawStyle(dice, partSizeBytes),
    partMs,
    callMs: dice.one('call-ms', [
      [10, 60],
      [20, 500],
      [100, 5000],
    ]),
    suggestAfterEvents: dice.chance('hand-over', 0.4) ? dice.whole('events', 25, 150) : 4000,
    evictChance: dice.one('evict', [0, 0, 0.05, 0.05, 0.3]),
    faults: drawMany(dice, 'fault', [0, 0, 1, 1, 2, 3, 5], (key) => drawPlannedFault(dice, key, parts)),
    outages: drawMany(dice, 'outage', [0, 0, 0, 1, 2], (key) => drawOutage(dice, key)),
    actions: drawMany(dice, 'action', [0, 1, 1, 2, 3, 4], (key) => drawAction(dice, key, parts)),
  };
}

/** The same for a split upload. Some of the actions are on its pieces. */
export function drawSplitPlan(seed: number): Plan {
  const plan = drawPlan(seed);
  const dice = new Dice(seed);
  const actions = plan.actions.map((action, index) =>
    dice.chance(`on-piece-${index}`, 0.3) ? { ...action, isOnPiece: true } : action,
  );
  return { ...plan, pieces: dice.whole('pieces', 2, 3), actions };
}

/** Sizes of large files differ, so that no MD5 has to be computed for a comparison. */
const LARGE_BYTES = 1024 * 1024 + 1;

const MAX_EDITS = 4;

/** The same for a sync of a folder with small and large files. */
export function drawSyncPlan(seed: number): Plan {
  const plan = drawPlan(seed);
  const dice = new Dice(seed);
  const {
    partSizeBytes: _size,
    heartbeatTimeoutMs: _timeout,
    check: _check,
    sha256: _sha256,
    ...request
  } = plan.request;
  const files = Array.from({ length: dice.one('files', [1, 2, 4, 6, 10]) }, (_, index) => {
    const path = `${dice.one(`folder-${index}`, ['', '', 'a/', 'z/'])}f${index}.jsonl`;
    return { path, sizeBytes: drawFileSize(dice, `file-${index}`) };
  });
  const contents = Array.from({ length: files.length + MAX_EDITS }, (_, index) => `v${index + 1}`);
  const folder = {
    files,
    deletes: dice.chance('deletes', 0.4),
    maxConcurrentUploads: dice.whole('uploads', 1, 5),
    batchFiles: dice.one('batch', [2, 3, 200, 200]),
    hasManifest: dice.chance('manifest', 0.3),
    invalidContents: contents.filter((content) => dice.chance(`invalid-${content}`, 0.3)),
  };
  const isUnusable = folder.hasManifest && dice.chance('manifest-outage', 0.4);
  const actions = plan.actions
    .filter(({ action }) => action.kind !== 'edit-source' && action.kind !== 'retune')
    .map((action, index) => (dice.chance(`on-piece-${index}`, 0.2) ? { ...action, isOnPiece: true } : action))
    .map((planned) => {
      const { kind } = planned.action;
      if (kind === 'pause' && !planned.isOnPiece) return { ...planned, action: { kind, parts: 'finish' } as const };
      return planned;
    });
  const edits = drawMany(dice, 'edit', [0, 0, 1, 2, MAX_EDITS], (key) => drawEdit(dice, key, files, files.length));
  return {
    ...plan,
    request: dice.chance('sync-check', 0.3) ? { ...request, check: 'jsonl' } : request,
    folder,
    faults: [
      ...plan.faults,
      ...drawMany(dice, 'more', [0, 1, 2, 4], (key) => drawPlannedFault(dice, key, 2 * files.length)),
    ],
    outages: [...plan.outages, ...(isUnusable ? [drawManifestOutage(dice)] : [])],
    actions: [...actions, ...edits],
  };
}

function drawManifestOutage(dice: Dice): Outage {
  const faults: readonly Fault[] = [{ kind: 'status', status: 403 }, { kind: 'unreachable' }, { kind: 'lost' }];
  return {
    call: 'manifest',
    fromMs: drawTime(dice, 'manifest'),
    forMs: dice.one('manifest/for', [2000, 10_000, 20 * MINUTE]),
    fault: dice.one('manifest/fault', faults),
  };
}

function drawFileSize(dice: Dice, key: string): number {
  return dice.chance(`${key}/large`, 0.25)
    ? LARGE_BYTES + dice.whole(`${key}/bytes`, 0, 20 * MiB)
    : dice.whole(`${key}/bytes`, 1, 40);
}

function drawEdit(dice: Dice, key: string, files: readonly { readonly path: string }[], parts: number): PlannedAction {
  const { path } = dice.one(`${key}/path`, files);
  const sizeBytes = drawFileSize(dice, key);
  const name = `${dice.one(`${key}/folder`, ['', 'a/', 'z/'])}new-${key}.jsonl`;
  const edit = dice.weighted<FolderEdit>(`${key}/edit`, [
    [3, { edit: 'change', path, sizeBytes }],
    [2, { edit: 'touch', path }],
    [4, { edit: 'remove', path }],
    [3, { edit: 'add', path: name, sizeBytes }],
    [2, { edit: 'move', path, to: name }],
  ]);
  return { when: drawWhen(dice, key, parts), action: { kind: 'edit-folder', ...edit } };
}

function drawMany<T>(dice: Dice, key: string, counts: readonly number[], draw: (key: string) => T): T[] {
  return Array.from({ length: dice.one(`${key}s`, counts) }, (_, index) => draw(`${key}-${index}`));
}

function drawStyle(dice: Dice, partSizeBytes: number): ServiceStyle {
  return {
    isStrict: dice.chance('strict', 0.5),
    endedStatus: dice.one('ended', [400, 404, 409, 410]),
    checksMd5: dice.chance('checks-md5', 0.8),
    listLagMs: dice.one('lag', [0, 0, 0, 1500, 3500, 30_000]),
    maxPartBytes: dice.chance('part-limit', 0.08) && partSizeBytes > 2 * MiB ? 2 * MiB : 0,
    sessionSeconds: 3600,
  };
}

function drawCall(dice: Dice, key: string): Call {
  return dice.weighted<Call>(`${key}/call`, [
    [8, 'addPart'],
    [3, 'createUpload'],
    [6, 'completeUpload'],
    [2, 'cancelUpload'],
    [1, 'listFiles'],
  ]);
}

function drawNth(dice: Dice, key: string, call: Call, parts: number): number {
  return dice.whole(`${key}/nth`, 1, call === 'addPart' ? parts + 2 : 2);
}

function drawPlannedFault(dice: Dice, key: string, parts: number): PlannedFault {
  const call = drawCall(dice, key);
  return { call, nth: drawNth(dice, key, call, parts), fault: drawFault(dice, key, call) };
}

function drawFault(dice: Dice, key: string, call: Call): Fault {
  const isAboutSession = call === 'addPart' || call === 'completeUpload';
  const arrives = dice.chance(`${key}/arrives`, 0.5);
  // An error to the create call counts as a rejection, whatever the service did before.
  const arrivesFirst = arrives && call !== 'createUpload';
  // 429 is returned before any work.
  const status = dice.one(`${key}/5xx`, [500, 502, 503, 408, 429]);
  return dice.weighted<Fault>(`${key}/kind`, [
    [4, { kind: 'status', status, arrives: arrivesFirst && status !== 429 }],
    [2, drawRejection(dice, key, call)],
    [4, { kind: 'lost' }],
    [2, { kind: 'unreachable' }],
    [2, { kind: 'silent', arrives }],
    [1, { kind: 'strange', arrives }],
    [2, { kind: 'slow', ms: dice.one(`${key}/slow`, [3000, 20_000, 150_000]) }],
    [call === 'addPart' ? 2 : 0, { kind: 'damaged' }],
    [isAboutSession ? 3 : 0, { kind: 'session-ends', status: dice.one(`${key}/status`, ['cancelled', 'expired']) }],
  ]);
}

/** A cancellation that returns 404 counts as done, so it would leave a session open. */
function drawRejection(dice: Dice, key: string, call: Call | '*'): Fault {
  const retryAfterMs = dice.one(`${key}/pause`, [undefined, undefined, 2000, 10 * MINUTE, 3 * HOUR]);
  const status = dice.one(`${key}/4xx`, [401, 402, 403, 429, 503, 404]);
  if (status === 404 && (call === '*' || call === 'cancelUpload')) return { kind: 'status', status: 403 };
  const isQuota = status === 429 && dice.chance(`${key}/quota`, 0.5);
  return {
    kind: 'status',
    status,
    retryAfterMs,
    ...(isQuota ? { apiCode: 'insufficient_quota' } : {}),
  };
}

function drawOutage(dice: Dice, key: string): Outage {
  const call = dice.chance(`${key}/all`, 0.4) ? '*' : drawCall(dice, key);
  const fault = dice.chance(`${key}/away`, 0.3) ? ({ kind: 'unreachable' } as const) : drawRejection(dice, key, call);
  // Each hour of waiting needs as much time as a whole upload without errors.
  const forMs = dice.weighted(`${key}/for`, [
    [6, 10_000],
    [6, 3 * MINUTE],
    [6, 20 * MINUTE],
    [6, 70 * MINUTE],
    [2, 5 * HOUR],
    [1, 26 * HOUR],
  ]);
  return { call, fromMs: drawTime(dice, key), forMs, fault };
}

/** Early, as most uploads of a simulation are short. */
function drawTime(dice: Dice, key: string): number {
  return dice.weighted(`${key}/at`, [
    [4, dice.whole(`${key}/ms`, 0, 10_000)],
    [2, dice.whole(`${key}/ms`, 0, 10 * MINUTE)],
    [1, dice.whole(`${key}/ms`, 0, 2 * HOUR)],
  ]);
}

function drawWhen(dice: Dice, key: string, parts: number): When {
  if (dice.chance(`${key}/when`, 0.5)) return { atMs: drawTime(dice, key) };
  const call = drawCall(dice, key);
  return { call, nth: drawNth(dice, key, call, parts), plusMs: dice.whole(`${key}/plus`, 0, 2000) };
}

function drawAction(dice: Dice, key: string, parts: number): PlannedAction {
  const worker = dice.whole(`${key}/worker`, 0, 1);
  const partSizeBytes = dice.whole(`${key}/part-size`, 1, 3) * MiB;
  const concurrency = dice.whole(`${key}/concurrency`, 1, 12);
  const action = dice.weighted<Action>(`${key}/action`, [
    [3, { kind: 'pause', parts: 'finish' }],
    [4, { kind: 'pause', parts: 'stop' }],
    [4, { kind: 'resume' }],
    [4, { kind: 'retry' }],
    [1, { kind: 'retune', input: { concurrency } }],
    [1, { kind: 'retune', input: { partSizeBytes } }],
    [3, { kind: 'cancel' }],
    [1, { kind: 'edit-source' }],
    [1, { kind: 'hide-source', problem: 'missing', forMs: dice.one(`${key}/for`, [2000, 10 * MINUTE, 2 * HOUR]) }],
    [1, { kind: 'hide-source', problem: 'unreadable', forMs: dice.one(`${key}/for`, [2000, 10 * MINUTE]) }],
    [5, { kind: 'kill-worker', worker }],
    [3, { kind: 'stop-worker', worker }],
  ]);
  return { when: drawWhen(dice, key, parts), action };
}
