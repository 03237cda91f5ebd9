import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  log,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { HashCheckpoint, SourceInfo } from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import { Defaults, Limits } from '../src/contracts/limits.ts';
import type {
  UploadProgress,
  UploadRequest,
  UploadResult,
  UploadSession,
  UploadState,
} from '../src/contracts/upload.ts';
import { formatBytes } from '../src/core/format.ts';
import { mimeTypeOf } from '../src/core/mime-type.ts';
import { PartLedger } from '../src/core/part-ledger.ts';
import { partRange, planParts } from '../src/core/part-plan.ts';
import { isSessionLost } from '../src/core/session-verdict.ts';
import { describeProgress } from '../src/core/describe-progress.ts';
import { activitiesOf, partTimeoutMs, type UploadActivities } from './activity-proxies.ts';
import { PartWindow } from './part-window.ts';

/** What an execution hands to its successor when its history has grown long. Plain JSON. */
export interface CarriedUpload {
  readonly source: SourceInfo;
  readonly session: UploadSession;
  readonly partSizeBytes: number;
  readonly partIds: readonly (string | null)[];
  readonly partsSent: number;
  readonly resent: boolean;
  readonly sessionsOpened: number;
  readonly md5: string | null;
  readonly hashCheckpoint: HashCheckpoint | null;
  readonly paused: boolean;
  readonly concurrency: number;
  readonly startedAtMs: number;
}

/** Details that activities put into their failures. */
interface FailureDetails {
  readonly status?: number;
  readonly attempt?: number;
}

/** The state of one upload, and the steps that move it on. */
export class UploadRun {
  concurrency: number;
  readonly #request: UploadRequest;
  readonly #activities: UploadActivities;
  readonly #filename: string;
  readonly #destination: string;
  readonly #startedAtMs: number;
  readonly #hashScope = new CancellationScope();
  #state: UploadState = 'inspecting';
  #paused: boolean;
  #source: SourceInfo | undefined;
  #session: UploadSession | undefined;
  #ledger: PartLedger | undefined;
  #window: PartWindow | undefined;
  #partsSent: number;
  #resent: boolean;
  #sessionsOpened: number;
  #md5: string | null;
  #hashCheckpoint: HashCheckpoint | null;
  #hashFailure: { readonly error: unknown } | undefined;

  constructor(request: UploadRequest, carried?: CarriedUpload) {
    this.#request = request;
    this.#activities = activitiesOf(request);
    this.#filename = request.filename ?? (request.source.path.split('/').at(-1) as string);
    this.#destination = request.destination ?? Defaults.destination;
    this.concurrency = carried?.concurrency ?? request.concurrency ?? Defaults.concurrency;
    this.#startedAtMs = carried?.startedAtMs ?? Date.now();
    this.#paused = carried?.paused ?? false;
    this.#partsSent = carried?.partsSent ?? 0;
    this.#resent = carried?.resent ?? false;
    this.#sessionsOpened = carried?.sessionsOpened ?? 0;
    this.#md5 = carried?.md5 ?? null;
    this.#hashCheckpoint = carried?.hashCheckpoint ?? null;
    if (carried) {
      this.#source = carried.source;
      this.#session = carried.session;
      this.#ledger = new PartLedger(planParts(carried.source.sizeBytes, carried.partSizeBytes), carried.partIds);
    }
  }

  get isCompleting(): boolean {
    return this.#state === 'completing' || this.#state === 'completed';
  }

  /** Runs to the end, or to the point where the history is long enough to be handed over. */
  async run(): Promise<UploadResult | CarriedUpload> {
    const source = (this.#source ??= await this.#inspect());
    const hashing = this.#hash(source);
    try {
      for (;;) {
        const session = (this.#session ??= await this.#openSession(source));
        const ledger = (this.#ledger ??= new PartLedger(planParts(source.sizeBytes, this.#request.partSizeBytes)));
        try {
          await this.#sendParts(source, session, ledger);
          if (!ledger.complete) return await this.#handOver(source, session, ledger, hashing);
          await hashing;
          if (this.#hashFailure) throw this.#hashFailure.error;
          return await this.#complete(source, session, ledger);
        } catch (error) {
          if (!this.#mayReplaceSession(error, session, ledger)) throw error;
          log.warn('The session is lost; its parts are sent again in a new one', { uploadId: session.uploadId });
          await this.#cancelSession();
          this.#ledger = undefined;
          this.#resent = false;
        }
      }
    } finally {
      this.#hashScope.cancel();
      await CancellationScope.nonCancellable(() => hashing);
    }
  }

  /** Holds further parts back, and returns when none is in flight. */
  async pause(parts: 'finish' | 'stop'): Promise<void> {
    this.#paused = true;
    this.#publish();
    if (parts === 'stop') this.#window?.stopParts();
    await condition(() => !this.#paused || (this.#ledger?.out ?? 0) === 0);
  }

  resume(): void {
    this.#paused = false;
    this.#publish();
  }

  /** Cancels the session, whatever ended the upload; nothing is sent after this. */
  async abandon(state: 'cancelled' | 'failed'): Promise<void> {
    await CancellationScope.nonCancellable(() => this.#cancelSession());
    this.#enter(state);
  }

  progress(): UploadProgress {
    const ledger = this.#ledger;
    return {
      state: this.#paused && this.#state === 'uploading' ? 'paused' : this.#state,
      filename: this.#filename,
      bytesTotal: this.#source?.sizeBytes ?? 0,
      bytesDone: ledger?.bytesDone ?? 0,
      partSizeBytes: ledger?.plan.partSizeBytes ?? 0,
      partsTotal: ledger?.plan.partCount ?? 0,
      partsDone: ledger?.done ?? 0,
      partsInFlight: ledger?.out ?? 0,
      concurrency: this.concurrency,
      session: this.#session ?? null,
      sessionsOpened: this.#sessionsOpened,
      md5: this.#md5,
      startedAtMs: this.#startedAtMs,
    };
  }

  async #inspect(): Promise<SourceInfo> {
    const { source, expectedFingerprint } = this.#request;
    const info = await this.#activities.transfer.inspectSource.executeWithOptions(
      { summary: this.#filename, startToCloseTimeout: '1m' },
      [{ source }],
    );
    if (info.sizeBytes > Limits.maxFileBytes) {
      const size = `${formatBytes(info.sizeBytes)} (${info.sizeBytes} bytes)`;
      throw ApplicationFailure.nonRetryable(
        `${source.path} has ${size}; an Upload takes ${formatBytes(Limits.maxFileBytes)} at most`,
        FailureType.SourceUnusable,
      );
    }
    if (expectedFingerprint !== undefined && info.fingerprint !== expectedFingerprint) {
      throw ApplicationFailure.nonRetryable(
        `${source.path} is not the file that this upload was asked for: it changed before the upload began`,
        FailureType.SourceChanged,
      );
    }
    return info;
  }

  async #openSession(source: SourceInfo): Promise<UploadSession> {
    this.#enter('creating');
    const { purpose, fileExpiresAfterSeconds } = this.#request;
    const session = await this.#activities.control.createUpload.executeWithOptions(
      { summary: `${this.#filename} · ${formatBytes(source.sizeBytes)}`, startToCloseTimeout: '2m' },
      [
        {
          destination: this.#destination,
          filename: this.#filename,
          purpose,
          bytes: source.sizeBytes,
          mimeType: this.#request.mimeType ?? mimeTypeOf(this.#filename),
          ...(fileExpiresAfterSeconds === undefined ? {} : { fileExpiresAfterSeconds }),
        },
      ],
    );
    this.#sessionsOpened++;
    return session;
  }

  /** The md5 runs beside the parts, and its failure waits until somebody asks for the outcome. */
  async #hash(source: SourceInfo): Promise<void> {
    if (this.#request.md5 === false || this.#md5 !== null) return;
    try {
      const outcome = await this.#hashScope.run(() =>
        this.#activities.transfer.hashSource.executeWithOptions({ summary: 'md5 of the whole file' }, [
          {
            source: this.#request.source,
            ...source,
            ...(this.#hashCheckpoint ? { resumeFrom: this.#hashCheckpoint } : {}),
          },
        ]),
      );
      if ('md5' in outcome) this.#md5 = outcome.md5;
      else this.#hashCheckpoint = outcome.checkpoint;
    } catch (error) {
      this.#hashFailure = { error };
    }
  }

  async #sendParts(source: SourceInfo, session: UploadSession, ledger: PartLedger): Promise<void> {
    this.#enter('uploading');
    this.#window = new PartWindow(ledger);
    await this.#window.run({
      send: (partNumber) => this.#sendPart(partNumber, source, session, ledger),
      limit: () => this.concurrency,
      mayStart: () => !this.#paused,
      until: () => this.#hashFailure !== undefined || workflowInfo().continueAsNewSuggested,
    });
    if (this.#hashFailure) throw this.#hashFailure.error;
  }

  async #sendPart(partNumber: number, source: SourceInfo, session: UploadSession, ledger: PartLedger): Promise<void> {
    const range = partRange(ledger.plan, partNumber);
    const result = await this.#activities.transfer.uploadPart.executeWithOptions(
      {
        summary: `part ${partNumber}/${ledger.plan.partCount} · ${formatBytes(range.sizeBytes)}`,
        startToCloseTimeout: partTimeoutMs(range.sizeBytes),
      },
      [
        {
          destination: this.#destination,
          uploadId: session.uploadId,
          sessionExpiresAt: session.expiresAt,
          partNumber,
          source: this.#request.source,
          fingerprint: source.fingerprint,
          ...range,
        },
      ],
    );
    ledger.record(partNumber, result.partId);
    this.#countAttempts(result.attempt);
    this.#publish();
  }

  async #complete(source: SourceInfo, session: UploadSession, ledger: PartLedger): Promise<UploadResult> {
    this.#enter('completing');
    const file = await this.#activities.control.completeUpload.executeWithOptions(
      { summary: `${ledger.plan.partCount} parts` },
      [
        {
          destination: this.#destination,
          uploadId: session.uploadId,
          uploadCreatedAt: session.createdAt,
          partIds: ledger.orderedPartIds(),
          ...(this.#md5 === null ? {} : { md5: this.#md5 }),
          filename: this.#filename,
          purpose: this.#request.purpose,
          bytes: source.sizeBytes,
        },
      ],
    );
    this.#enter('completed');
    return {
      workflowId: workflowInfo().workflowId,
      uploadId: session.uploadId,
      file,
      bytes: source.sizeBytes,
      md5: this.#md5,
      parts: ledger.plan.partCount,
      partsSent: this.#partsSent,
      sessions: this.#sessionsOpened,
      durationMs: Date.now() - this.#startedAtMs,
    };
  }

  async #handOver(
    source: SourceInfo,
    session: UploadSession,
    ledger: PartLedger,
    hashing: Promise<void>,
  ): Promise<CarriedUpload> {
    // Told to stop, the hash answers with a checkpoint, which the next execution goes on from.
    this.#hashScope.cancel();
    await hashing;
    return {
      source,
      session,
      partSizeBytes: ledger.plan.partSizeBytes,
      partIds: ledger.toJSON(),
      partsSent: this.#partsSent,
      resent: this.#resent,
      sessionsOpened: this.#sessionsOpened,
      md5: this.#md5,
      hashCheckpoint: this.#hashCheckpoint,
      paused: this.#paused,
      concurrency: this.concurrency,
      startedAtMs: this.#startedAtMs,
    };
  }

  #mayReplaceSession(error: unknown, session: UploadSession, ledger: PartLedger): boolean {
    if (this.#sessionsOpened >= (this.#request.maxSessions ?? Defaults.maxSessions)) return false;
    if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return false;
    const details = error.cause.details?.[0] as FailureDetails | undefined;
    if (error.activityType === 'uploadPart') this.#countAttempts(details?.attempt ?? 1);
    return isSessionLost({
      failureType: error.cause.type ?? '',
      status: details?.status,
      partsTaken: error.activityType === 'uploadPart' ? ledger.done : 0,
      resent: this.#resent,
      nowSeconds: Date.now() / 1000,
      expiresAt: session.expiresAt,
    });
  }

  async #cancelSession(): Promise<void> {
    const session = this.#session;
    if (!session) return;
    try {
      await this.#activities.cleanup.cancelUpload.executeWithOptions({ summary: session.uploadId }, [
        { destination: this.#destination, uploadId: session.uploadId },
      ]);
    } catch (error) {
      log.warn('The session could not be cancelled; it expires by itself', { uploadId: session.uploadId, error });
    }
    this.#session = undefined;
  }

  #countAttempts(attempts: number): void {
    this.#partsSent += attempts;
    if (attempts > 1) this.#resent = true;
  }

  #enter(state: UploadState): void {
    this.#state = state;
    this.#publish();
  }

  #publish(): void {
    setCurrentDetails(describeProgress(this.progress()));
  }
}
