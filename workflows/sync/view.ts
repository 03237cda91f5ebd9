import type { Admitted } from '../../src/contracts/failures.ts';
import type { FullSyncRequest, SyncProgress, SyncState } from '../../src/contracts/sync.ts';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { shownState, shownWait, syncAttributes } from '../../src/core/show/attributes.ts';
import { describeSync } from '../../src/core/show/describe-sync.ts';
import type { SyncTally } from '../../src/core/sync/tally.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { JobRequest } from '../shell/job-request.ts';
import { Pace, Status } from '../shell/status.ts';

interface ViewedSync {
  readonly request: JobRequest<Admitted<FullSyncRequest>>;
  readonly fleet: Fleet;
  readonly tally: SyncTally;
  readonly isPaused: () => boolean;
  /** Wait of the memory of the last run, of the lists or of a deletion. */
  readonly waiting: () => WaitingInfo | undefined;
  /** Wait of the memory for the next run. */
  readonly recording: () => WaitingInfo | undefined;
  /** Number of sources whose MD5 is needed and not computed yet. */
  readonly leftToRead: () => number;
}

/** State and progress of a sync, as its callers and Temporal UI see them. */
export class SyncView {
  readonly startedAtMs: number;
  readonly #sync: ViewedSync;
  readonly #status = new Status();
  readonly #pace = new Pace();
  #state: SyncState;
  /** Set after its failure. */
  #endReason: string | undefined;

  constructor(sync: ViewedSync, state: SyncState, startedAtMs: number) {
    this.#sync = sync;
    this.#state = state;
    this.startedAtMs = startedAtMs;
  }

  get state(): SyncState {
    return this.#state;
  }

  /** @param hasAttributes as the first activity returned it */
  use(hasAttributes: boolean | undefined): void {
    this.#status.use(hasAttributes);
  }

  enter(state: SyncState): void {
    this.#state = state;
    this.publish();
  }

  /** @param reason as `reasonOfFailure` returns it */
  failed(state: 'cancelled' | 'failed', reason: string): void {
    this.#endReason = reason;
    this.enter(state);
  }

  progress(): SyncProgress {
    const { request, fleet, tally, isPaused, waiting: waitingCall, recording } = this.#sync;
    // The memory of a sync without a manifest is packed last.
    const state = this.#state === 'completed' && recording() ? 'uploading' : this.#state;
    const waiting = shownWait(state, recording() ?? waitingCall() ?? fleet.waiting, Date.now());
    const { counts } = tally;
    return {
      kind: 'sync',
      state: shownState(state, { isWaiting: waiting !== null, isPaused: isPaused() && state !== 'listing' }),
      filename: request.name,
      bytesTotal: counts.toSend.bytes,
      bytesDone: counts.sent.bytes,
      partsInFlight: 0,
      waiting,
      startedAtMs: this.startedAtMs,
      counts,
      uploading: fleet.paths,
    };
  }

  /** Sets the details in Temporal UI, and the search attributes. */
  publish(): void {
    const { request, tally, leftToRead } = this.#sync;
    const progress = this.progress();
    const context = {
      ...this.#pace.measure(progress.bytesDone),
      leftToRead: leftToRead(),
      reason: this.#endReason,
    };
    this.#status.details(describeSync(progress, context));
    const isHeld = progress.state === 'paused' || progress.state === 'waiting';
    const reason = this.#endReason ?? tally.firstProblem?.failureType;
    this.#status.attributes(
      syncAttributes(progress, request.subject, reason),
      isHeld && progress.uploading.length === 0,
    );
  }
}
