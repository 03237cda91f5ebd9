import { CancellationScope, condition } from '@temporalio/workflow';
import type { InspectSourceResult } from '../../src/contracts/activities.ts';
import type { UploadProgress, UploadRequest, UploadResult } from '../../src/contracts/upload.ts';
import { lineCheckOf } from '../../src/core/upload/content.ts';
import { partSizeProblem } from '../../src/core/upload/plan.ts';
import { ignoreInodeProblem } from '../../src/core/upload/fingerprint.ts';
import { UploadTuning, type CarriedTuning } from '../../src/core/upload/tuning.ts';
import { HandOver, type Control, type Run } from '../shell/define-workflow.ts';
import { ExpectedSource, otherContent } from './expected-source.ts';
import { detailsOf } from '../shell/failures.ts';
import { JobRequest } from '../shell/job-request.ts';
import { OpenSession } from './open-session.ts';
import type { ParentReports } from '../shell/parent-reports.ts';
import { HandOverDue } from '../shell/waiting.ts';
import { UploadParts } from './parts.ts';
import { UploadSessions, type CarriedUploadSessions } from './sessions.ts';
import { SourceHash, type CarriedHash } from './source-hash.ts';
import { UploadView } from './view.ts';
import { UploadCalls } from './calls.ts';
import { UploadWaits, type CarriedWaits } from './waits.ts';

/** State for the next execution after a long history, as plain JSON. */
export interface CarriedUpload extends CarriedUploadSessions, CarriedHash, CarriedTuning, CarriedWaits {
  /** As `ExpectedSource.isOther`. @defaultValue false */
  readonly otherInode?: boolean;
  /** Omitted before the inspection. */
  readonly source?: InspectSourceResult;
  readonly partsSent: number;
  readonly paused: boolean;
  readonly startedAtMs: number;
}

/** The state of one upload, and its steps. */
export class UploadRun implements Run<UploadResult, CarriedUpload, UploadProgress> {
  readonly #request: JobRequest<InspectSourceResult>;
  readonly #calls: UploadCalls;
  readonly #view: UploadView;
  readonly #waits: UploadWaits;
  readonly #sessions: UploadSessions;
  readonly #parts: UploadParts;
  readonly #hash: SourceHash;
  readonly #tuning: UploadTuning;
  readonly #expected: ExpectedSource;
  #paused: boolean;

  constructor(request: UploadRequest, carried: CarriedUpload | undefined, reports: ParentReports) {
    this.#request = new JobRequest(request, ({ request: full }) => ({
      subject: full,
      giveUpAfterMs: full.giveUpAfterMs,
    }));
    this.#calls = new UploadCalls(this.#request);
    this.#waits = new UploadWaits(
      () => this.#request.giveUpAfterMs,
      () => this.#view.publish(),
      carried,
    );
    this.#hash = new SourceHash(this.#calls, this.#waits.hash, carried);
    this.#paused = carried?.paused ?? false;
    this.#tuning = new UploadTuning(carried);
    this.#expected = new ExpectedSource(this.#tuning, carried?.otherInode);
    const shared = { calls: this.#calls, waits: this.#waits, tuning: this.#tuning };
    this.#sessions = new UploadSessions({ ...shared, maxSessions: () => this.#request.full.maxSessions }, carried);
    this.#parts = new UploadParts(
      {
        ...shared,
        hash: this.#hash,
        expected: this.#expected,
        isPaused: () => this.#paused,
        onChange: () => this.#view.publish(),
      },
      carried?.partsSent,
    );
    this.#view = new UploadView(
      {
        ...shared,
        request: this.#request,
        reports,
        sessions: this.#sessions,
        parts: this.#parts,
        hash: this.#hash,
        isPaused: () => this.#paused,
      },
      carried?.session ? 'uploading' : carried?.source ? 'creating' : 'inspecting',
      carried?.startedAtMs ?? Date.now(),
    );
    if (carried?.source) this.#admit(carried.source);
  }

  /** Runs until the end, or until the history is long enough for continue-as-new. */
  async run(): Promise<UploadResult | HandOver<CarriedUpload>> {
    this.#view.publish();
    try {
      return await this.#run();
    } catch (error) {
      if (error instanceof HandOverDue) return new HandOver(() => this.#carried());
      throw error;
    }
  }

  async #run(): Promise<UploadResult> {
    const source = this.#request.checked ?? this.#admit(await this.#waits.calls.repeat(() => this.#inspect()));
    const { md5, sha256, check, purpose } = this.#request.full;
    const needsPass = md5 || sha256 || lineCheckOf(check, purpose) !== undefined;
    const hashing = needsPass && !source.isSmall ? this.#hash.run(source, this.#expected.call) : Promise.resolve();
    try {
      for (;;) {
        const session = this.#sessions.current ?? (await this.#openSession(source));
        try {
          this.#view.enter('uploading');
          await this.#parts.send(source, session);
          if (!session.ledger.complete) throw new HandOverDue();
          await hashing;
          this.#hash.assertSound();
          // It was cut into parts, because the part size was changed by `retune`.
          if (needsPass && source.isSmall) await this.#hash.run(source, this.#expected.call);
          this.#hash.assertSound();
          this.#view.enter('completing');
          return this.#view.completed(session, await this.#sessions.complete(session, this.#hash.md5));
        } catch (error) {
          if (error instanceof HandOverDue) throw error;
          if (this.#expected.isOther && OpenSession.isWrongMd5(error)) throw otherContent(error);
          const file = await this.#sessions.replace(session, error, source, this.#hash.md5);
          if (file) return this.#view.completed(session, file);
        }
      }
    } finally {
      this.#hash.stop();
      await CancellationScope.nonCancellable(() => hashing);
    }
  }

  async #inspect(): Promise<InspectSourceResult> {
    try {
      return await this.#calls.inspect();
    } catch (error) {
      this.#request.failed(detailsOf(error));
      this.#view.use(detailsOf(error)?.hasAttributes);
      throw error;
    }
  }

  #admit(source: InspectSourceResult): InspectSourceResult {
    this.#request.admit(source);
    this.#tuning.admit(source.request);
    this.#view.use(source.hasAttributes);
    return source;
  }

  rejects(control: Control): string | undefined {
    const { state } = this.#view;
    const isCompleting = state === 'completing' || state === 'completed';
    if (control.type === 'pause' && isCompleting && control.whileCompleting !== true)
      return 'cannot pause: the upload is completing';
    if (control.type !== 'retune') return undefined;
    const { checked, raw } = this.#request;
    const { md5, source } = checked?.request ?? raw;
    const { type } = (source ?? {}) as { readonly type?: unknown };
    const problem = checked && partSizeProblem(checked.limits, control.partSizeBytes);
    return problem ?? ignoreInodeProblem({ md5, source: { type }, ignoreInode: control.ignoreInode });
  }

  apply(control: Control): UploadProgress | Promise<UploadProgress> {
    if (control.type === 'pause') return this.#pause(control.parts ?? 'finish');
    if (control.type === 'resume') this.#paused = false;
    else if (control.type === 'retune') this.#tuning.retune(control);
    else this.#waits.retry();
    if (control.type !== 'retry') this.#view.publish();
    return this.progress();
  }

  /** Starts no further parts, and returns when no part is in flight. */
  async #pause(parts: 'finish' | 'stop'): Promise<UploadProgress> {
    this.#paused = true;
    this.#view.publish();
    if (parts === 'stop') this.#parts.stop();
    await condition(() => !this.#paused || (this.#sessions.current?.ledger.out ?? 0) === 0);
    this.#view.publish();
    return this.progress();
  }

  /**
   * Cancels the session after any failure or cancellation. Nothing is sent after this.
   *
   * @param reason of the failure, as `reasonOfFailure` returns it
   * @returns the result of an upload whose completion succeeded without a response
   */
  async abandon(state: 'cancelled' | 'failed', reason: string): Promise<UploadResult | undefined> {
    const file = await this.#sessions.cancel(this.#hash.md5);
    const session = this.#sessions.current;
    if (file && session) return this.#view.completed(session, file);
    this.#view.failed(state, reason);
    return undefined;
  }

  progress(): UploadProgress {
    return this.#view.progress();
  }

  #openSession(source: InspectSourceResult): Promise<OpenSession> {
    this.#view.enter('creating');
    return this.#sessions.open(source);
  }

  #carried(): CarriedUpload {
    return {
      source: this.#request.checked,
      ...this.#sessions.toJSON(),
      partsSent: this.#parts.sent,
      ...this.#hash.toJSON(),
      ...this.#tuning.toJSON(),
      otherInode: this.#expected.isOther ? true : undefined,
      paused: this.#paused,
      ...this.#waits.toJSON(),
      startedAtMs: this.#view.startedAtMs,
    };
  }
}
