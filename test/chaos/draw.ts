import { type FaultSpec, seededRandom } from '../../src/local-api/faults.ts';
import {
  STALL_TIMEOUT_MS,
  type Deed,
  type Edit,
  type Moment,
  type Plan,
  type PlannedDeed,
  type SourceKind,
} from './plan.ts';

const MiB = 1024 * 1024;

/** What two kernels hold of a part that its sender takes for sent. */
const SWALLOWED_BYTES = 8 * MiB;

export interface DrawOptions {
  /** The Temporal server may be killed: it must be one that is restarted. */
  readonly mayKillTemporal: boolean;
  /** Only files up to 20 MiB in parts up to 3 MiB. @defaultValue false */
  readonly isSmall?: boolean;
  /** @defaultValue files only */
  readonly sources?: readonly SourceKind[];
  /** Whether some workers determine the number of parts in flight. @defaultValue false */
  readonly someAdapt?: boolean;
}

/** Throws dice of one seed. */
class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.whole(0, choices.length - 1)] as T;
  }

  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let toss = this.#random() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      toss -= weight;
      if (toss < 0) return value;
    }
    return (choices.at(-1) as readonly [number, T])[1];
  }
}

/** Draws a run; the same seed and options give the same plan. */
export function drawPlan(
  seed: number,
  { mayKillTemporal, isSmall = false, sources = ['file'], someAdapt = false }: DrawOptions,
): Plan {
  const dice = new Dice(seed);
  const small = drawSmallFile(dice);
  // A separate generator, so that the same seed has the same effect on a small and a large file.
  const ownDice = new Dice(seed ^ 0x5bd1e995);
  const isLarge = !isSmall && ownDice.chance(0.3);
  const { sizeBytes, partSizeBytes } = isLarge ? drawLargeFile(ownDice) : small;
  const workers = dice.whole(1, 3);
  const slots = dice.whole(1, 4);
  const concurrency = dice.whole(1, 8);
  const partCount = Math.ceil(sizeBytes / partSizeBytes);
  const deeds: PlannedDeed[] = [];
  const count = dice.weighted([
    [1, 0],
    [5, 1],
    [5, 2],
    [3, 3],
    [1, 4],
  ]);
  for (let number = 0; number < count; number++) {
    const deed = drawDeed(dice, workers, mayKillTemporal);
    deeds.push({ when: drawMoment(dice, deed, partCount), deed });
  }
  // A part whose answer takes longer than the stall timeout is sent again, and that would be no fault of anybody.
  const unanswered = Math.min(partSizeBytes, SWALLOWED_BYTES);
  const adapts = someAdapt && new Dice(seed ^ 0x1b873593).chance(0.3);
  // The window is of eight parts at most.
  const connections = adapts ? 8 : Math.min(8, workers * slots);
  const fairBandwidth = (unanswered * connections * 2000) / STALL_TIMEOUT_MS;
  return {
    seed,
    source: drawSource(seed, sources),
    sizeBytes,
    partSizeBytes,
    concurrency,
    md5: dice.chance(0.7),
    maxSessions: dice.whole(2, 4),
    workers,
    slots: adapts ? null : slots,
    api: {
      bandwidthBytesPerSecond: Math.max(dice.whole(3, 10) * (isLarge ? 4 : 1) * MiB, Math.ceil(fairBandwidth)),
      latencyMs: dice.one([0, 0, 0, 5, 40]),
      lineBytesPerSecond: dice.chance(0.6) ? Math.max(dice.whole(1, 6) * (isLarge ? 4 : 1) * MiB, unanswered) : null,
      strictSums: dice.chance(0.2),
    },
    deeds,
  };
}

/** A separate generator, so that a seed has the same effect on each kind of source. */
function drawSource(seed: number, sources: readonly SourceKind[]): SourceKind {
  const weights: Readonly<Record<SourceKind, number>> = { file: 2, http: 1, s3: 1 };
  return new Dice(seed ^ 0x2545f491).weighted(sources.map((kind) => [weights[kind], kind] as const));
}

interface FilePlan {
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
}

function drawSmallFile(dice: Dice): FilePlan {
  return {
    sizeBytes: dice.weighted([
      [4, dice.whole(3 * MiB, 20 * MiB)],
      [1, dice.whole(3, 20) * MiB],
    ]),
    partSizeBytes: dice.weighted([
      [1, MiB],
      [1, dice.whole(MiB, 3 * MiB)],
    ]),
  };
}

/** Parts that are larger than the buffers of the kernel (about 4 MiB per connection), so that a worker waits within a part. */
function drawLargeFile(dice: Dice): FilePlan {
  return { sizeBytes: dice.whole(24 * MiB, 64 * MiB), partSizeBytes: dice.whole(6 * MiB, 14 * MiB) };
}

function drawMoment(dice: Dice, deed: Deed, partCount: number): Moment {
  // A source that changes before the first byte is another case: the upload then starts with the new content.
  const isEdit = deed.kind === 'edit-source';
  if (deed.kind === 'api-fault' && deed.fault.route !== 'part' && deed.fault.route !== '*') return { parts: 0 };
  return dice.weighted<Moment>([
    [8, { parts: dice.whole(isEdit ? 1 : 0, Math.max(1, partCount - 1)) }],
    [isEdit ? 0 : 1, { request: 'create' }],
    [1, { request: 'complete' }],
  ]);
}

function drawDeed(dice: Dice, workers: number, mayKillTemporal: boolean): Deed {
  const worker = dice.whole(0, workers - 1);
  const downMs = dice.whole(0, 1500);
  const scope = dice.one(['all', 'one'] as const);
  return dice.weighted<() => Deed>([
    [5, () => ({ kind: 'kill-worker', worker, downMs })],
    [2, () => ({ kind: 'kill-all-workers', downMs })],
    [3, () => ({ kind: 'freeze-worker', worker, forMs: dice.whole(200, 5000) })],
    [3, () => ({ kind: 'stop-worker', worker, downMs })],
    [4, () => ({ kind: 'kill-api', downMs: dice.whole(0, 2500) })],
    [mayKillTemporal ? 3 : 0, () => ({ kind: 'kill-temporal' })],
    [3, () => ({ kind: 'net-reset', scope })],
    [3, () => ({ kind: 'net-stall', scope, forMs: dice.whole(300, 6000) })],
    [3, () => ({ kind: 'net-black-hole', scope, forMs: dice.whole(500, 4000) })],
    [
      2,
      () => ({
        kind: 'net-throttle',
        scope,
        bytesPerSecond: dice.whole(100, 1000) * 1024,
        forMs: dice.whole(500, 3000),
      }),
    ],
    [2, () => ({ kind: 'net-refuse', forMs: dice.whole(100, 2500) })],
    [14, () => ({ kind: 'api-fault', fault: drawFault(dice) })],
    [3, () => ({ kind: 'cancel-session' })],
    [3, () => ({ kind: 'expire-session' })],
    [4, () => ({ kind: 'cancel-upload' })],
    [
      11,
      () => ({
        kind: 'edit-source',
        edit: dice.one<Edit>(['append', 'touch', 'replace', 'rewrite', 'rewrite', 'truncate']),
      }),
    ],
    [2, () => ({ kind: 'hide-source', forMs: dice.whole(100, 2500) })],
    [3, () => ({ kind: 'pause', parts: dice.one(['finish', 'stop'] as const), forMs: dice.whole(100, 2500) })],
    [2, () => ({ kind: 'retune', concurrency: dice.whole(1, 8) })],
  ])();
}

/**
 * A stall is drawn for parts only: other routes answer when they have done their work, which may take minutes, so a
 * client can't tell a stall there from diligence.
 */
function drawFault(dice: Dice): FaultSpec {
  const count = dice.whole(1, 3);
  const skip = dice.whole(0, 3);
  return dice.weighted<FaultSpec>([
    [3, { route: 'part', kind: 'status', status: dice.one([500, 502, 503, 408]), count, skip }],
    [1, { route: 'part', kind: 'status', status: 503, count, skip, afterBytes: 0 }],
    [2, { route: 'part', kind: 'status', status: 429, retryAfterSeconds: dice.whole(0, 2), count }],
    [2, { route: 'part', kind: 'reset', afterBytes: dice.whole(0, 900_000), count, skip }],
    [3, { route: 'part', kind: 'lost-answer', count, skip }],
    [2, { route: 'part', kind: 'stall', afterBytes: dice.whole(0, 900_000), count: dice.whole(1, 2), skip }],
    [1, { route: 'part', kind: 'expire', count: 1, skip }],
    [1, { route: 'part', kind: 'status', status: 422, count: 1, skip }],
    [2, { route: 'part', kind: 'status', status: dice.one([401, 403]), count: dice.whole(1, 5), skip }],
    [1, { route: 'create', kind: 'status', status: dice.one([401, 500]), count: 1 }],
    [1, { route: 'create', kind: 'lost-answer', count: 1 }],
    [2, { route: 'complete', kind: 'status', status: dice.one([500, 503, 409, 429]), count }],
    [2, { route: 'complete', kind: 'reset', count }],
    [8, { route: 'complete', kind: 'lost-answer', count: 1 }],
    [1, { route: 'complete', kind: 'expire', count: 1 }],
    [1, { route: 'complete', kind: 'status', status: 403, count: 1 }],
    [1, { route: 'cancel', kind: 'status', status: 503, count }],
    [1, { route: 'cancel', kind: 'lost-answer', count: 1 }],
    [1, { route: 'list', kind: 'status', status: 500, count }],
    [1, { route: '*', kind: 'reset', count, skip }],
  ]);
}
