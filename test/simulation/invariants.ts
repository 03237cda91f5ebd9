import type { CancelUploadInput, UploadPartInput } from '../../src/contracts/activities.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import type { UploadProgress, UploadResult, UploadSession } from '../../src/contracts/upload.ts';
import type { ActivityTask, Resolution } from './activity-task.ts';
import type { Execution } from './execution.ts';
import type { Close } from './execution-world.ts';
import { describeFailure, RetryState, valueOf } from './payloads.ts';
import type { Plan } from './plan.ts';
import type { Failure } from './run.ts';
import { digestOfSource, type ServiceView } from './service.ts';

/** Calls that must have ended before an upload ends. */
const MUST_END = ['uploadPart', 'createUpload', 'completeUpload', 'hashSource', 'inspectSource'];
/** Of a list that shows a File later, an upload cannot know. */
const MAX_LIST_LAG_MS = 4000;
const HOUR = 3_600_000;
/** The session is lost by it: with 400, a strict service rejects what another one does not. */
const LOSS = /^(SessionLost|ApiRejected: the service returned 400)/;
/** Waiting does not help. */
const INVALID = /^ApiRejected: the service returned (413|422)/;
/** From the end of a session until an upload knows of it. */
const MAX_DELAY_MS = 5000;

/** What must hold for an upload at any time, whatever happens. */
export class UploadInvariants {
  readonly #plan: Plan;
  readonly #service: ServiceView;
  readonly #violation: (rule: string, text: string) => void;
  readonly #recorded = new Set<string>();
  readonly #inFlight = new Set<string>();
  readonly #received = new Set<string>();
  readonly #notCancelled = new Set<string>();
  readonly #doubtful = new Set<string>();
  readonly #lostWhileWaiting = new Set<string>();
  /** Sessions with a failure that excuses their loss. */
  readonly #failed = new Set<string>();
  /** Sessions with a part or a completion whose failure the upload waits for. */
  readonly #callFailed = new Set<string>();
  /** Sessions that could not be used for some time, as the upload waited, and was not paused. */
  readonly #heldBack = new Set<string>();
  /** Sessions that the upload waited in, also if it was paused. */
  readonly #waitedIn = new Set<string>();
  /** Since when it waits without a break. */
  #waitingSinceMs: number | undefined;
  #progress: UploadProgress | undefined;
  /** The last one of an upload that had not ended. */
  #beforeEnd: UploadProgress | undefined;
  #beforeEndAtMs = 0;
  #isPaused = false;
  #wasPaused = false;
  #pausedAtMs = -Infinity;
  /** Whether the next activation is the first one of the next execution. */
  #isContinued = false;

  constructor(plan: Plan, service: ServiceView, violation: (rule: string, text: string) => void) {
    this.#plan = plan;
    this.#service = service;
    this.#violation = violation;
  }

  /** The last one that was seen. */
  get progress(): UploadProgress | undefined {
    return this.#progress;
  }

  /** @param isPaused whether a pause is in effect, and no resume was sent */
  paused(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  /** Whether no completion had a clear response. */
  doubt(uploadId: string): void {
    this.#doubtful.add(uploadId);
  }

  scheduled(task: ActivityTask): void {
    if (task.type === 'createUpload') this.#noteLoss();
    if (task.type !== 'uploadPart') return;
    const name = partName(task);
    if (this.#recorded.has(name)) this.#violation('no recorded part is resent', name);
    if (this.#inFlight.has(name)) this.#violation('no part is in flight twice', name);
    if (this.#isPaused) this.#violation('nothing is sent during a pause', name);
    this.#inFlight.add(name);
  }

  resolved(task: ActivityTask, resolution: Resolution): void {
    const { completed } = resolution;
    if (task.type === 'uploadPart') {
      this.#inFlight.delete(partName(task));
      if (completed) this.#recorded.add(partName(task));
      // It ends the wait of all parts.
      if (completed) this.#callFailed.delete((task.input[0] as UploadPartInput).uploadId);
    }
    if (task.type === 'createUpload' && completed) {
      this.#received.add((valueOf(completed.result) as UploadSession).uploadId);
      const { maxSessions = 3 } = this.#plan.request;
      if (this.#received.size > maxSessions + this.#failed.size) {
        this.#violation('a session that is lost without a wait counts', `${this.#received.size} sessions`);
      }
    }
    const uploadId = this.#progress?.session?.uploadId;
    if (resolution.failed && uploadId !== undefined) {
      const text = describeFailure(resolution.failed.failure);
      const ofSession = task.type === 'uploadPart' || task.type === 'completeUpload';
      if (!LOSS.test(text)) this.#failed.add(uploadId);
      if (isWaitedFor(resolution.failed.failure) && !LOSS.test(text) && !INVALID.test(text) && ofSession)
        this.#callFailed.add(uploadId);
    }
    // The service did not accept the cancellation: a best effort was made.
    const isTried = resolution.failed !== undefined && resolution.failed !== null;
    if (task.type === 'cancelUpload' && isTried) this.#notCancelled.add((task.input[0] as CancelUploadInput).uploadId);
  }

  /** Another client ended an activity. Its end shows nothing about the service. */
  forged(task: ActivityTask): void {
    if (task.type === 'uploadPart') this.#inFlight.delete(partName(task));
    const { uploadId } = task.input[0] as { readonly uploadId?: string };
    if (uploadId === undefined) return;
    this.#failed.add(uploadId);
    if (task.type !== 'uploadPart') this.#notCancelled.add(uploadId);
    if (task.type === 'completeUpload') this.#doubtful.add(uploadId);
  }

  activated(execution: Execution, progress: UploadProgress, nowMs: number): void {
    // The end of an activity that opened it can be forged.
    if (this.#plan.forgedEnds && progress.session) this.#received.add(progress.session.uploadId);
    const before = this.#progress;
    if (this.#isContinued && execution.isOpen && before?.waiting && !progress.waiting) {
      this.#violation('the next execution waits for what this one waited for', before.waiting.reason);
    }
    this.#isContinued = false;
    if (execution.isOpen) {
      this.#beforeEnd = progress;
      this.#beforeEndAtMs = nowMs;
    }
    this.#progress = progress;
    if (progress.session && before?.session?.uploadId === progress.session.uploadId) {
      if (progress.bytesDone < before.bytesDone) {
        this.#violation('progress never decreases within a session', `${before.bytesDone} → ${progress.bytesDone}`);
      }
    }
    const { waiting } = progress;
    this.#waitingSinceMs = waiting ? (this.#waitingSinceMs ?? nowMs) : undefined;
    if (progress.state === 'waiting' && !waiting?.reason) this.#violation('what waits shows its reason', 'no reason');
    if (!execution.isOpen || !waiting) return;
    const isPaused = this.#isPaused || execution.isToldToPause;
    if (isPaused || this.#wasPaused) this.#pausedAtMs = nowMs;
    this.#wasPaused = isPaused;
    // The next attempt follows a resume immediately.
    const isPauseOver = nowMs - this.#pausedAtMs > 60_000;
    // A report to the parent is sent before continue-as-new.
    const isMoving = execution.tasks.size + execution.timers.size + execution.awaited.size > 0;
    if (!isMoving && progress.state === 'waiting' && !isPaused) {
      this.#violation('what waits has a next attempt', waiting.reason);
    }
    const running = [...execution.tasks.values()].map(({ type }) => type);
    const isIdle = !running.includes('uploadPart') && !running.includes('cancelUpload');
    if (progress.session && isIdle && progress.partsDone < progress.partsTotal) {
      const { uploadId } = progress.session;
      if (!isPaused) this.#heldBack.add(uploadId);
      if (!isPaused || waiting.nextProbeAtMs > nowMs) this.#waitedIn.add(uploadId);
    }
    if (waiting.nextProbeAtMs < nowMs) {
      this.#violation('the next attempt is not in the past', `${nowMs - waiting.nextProbeAtMs} ms ago`);
    }
    const giveUpAfterMs = this.#plan.request.giveUpAfterMs ?? 24 * HOUR;
    const waitedMs = nowMs - waiting.sinceMs;
    if (giveUpAfterMs > 0 && execution.tasks.size === 0 && waitedMs > giveUpAfterMs + 60_000 && isPauseOver) {
      this.#violation('the retry period is respected', `waits for ${waitedMs} ms`);
    }
    const allMs = nowMs - (this.#waitingSinceMs ?? nowMs);
    if (giveUpAfterMs > 0 && execution.tasks.size === 0 && allMs > giveUpAfterMs + 600_000 && isPauseOver) {
      this.#violation('the retry period of an upload is respected', `waits for ${allMs} ms`);
    }
  }

  /** @param progress after the end */
  closed(execution: Execution, close: Close, progress: UploadProgress | undefined): void {
    this.#isContinued = close.status === 'continued';
    if (close.status === 'continued') {
      const running = [...execution.tasks.values()].map(({ type }) => type);
      if (running.length > 0) this.#violation('nothing runs at continue-as-new', running.join());
      return;
    }
    this.#noteLoss();
    for (const task of execution.tasks.values()) {
      if (MUST_END.includes(task.type)) this.#violation('nothing is sent after the end', `${task.type} still runs`);
    }
    for (const session of this.#service.sessions.values()) {
      const isOpen = this.#service.statusOf(session) === 'pending';
      if (isOpen && this.#received.has(session.id) && !this.#notCancelled.has(session.id)) {
        this.#violation('no session is left open', session.id);
      }
    }
    const files = [...this.#service.files.values()];
    if (files.length > 1) this.#violation('at most one File exists', files.map(({ id }) => id).join());
    const { hasInvalidContent, request, folder } = this.#plan;
    if (!folder && hasInvalidContent && request.check && files.length > 0)
      this.#violation('invalid content creates no File', 'a File');
    if (close.status === 'completed') this.#completed(valueOf(close.result) as UploadResult);
    else this.#notCompleted(close);
    if (progress?.waiting) this.#violation('nothing waits after the end', progress.waiting.reason);
    const expected = close.status === 'completed' ? 'completed' : close.status;
    if (progress && progress.state !== expected) {
      this.#violation('progress shows the end', `${progress.state} instead of ${expected}`);
    }
  }

  #completed(result: UploadResult): void {
    const file = this.#service.files.get(result.file.id);
    if (!file) {
      this.#violation('the result names the File', result.file.id);
      return;
    }
    let offsetBytes = 0;
    for (const part of file.parts) {
      // Without an MD5, neither the service nor the upload can see damage.
      const isSeen = this.#service.style.checksMd5 && this.#plan.request.md5 !== false;
      const contentOf = ({ content }: { readonly content: string }) =>
        isSeen ? content : content.replace(' damaged', '');
      if (part.offsetBytes !== offsetBytes) this.#violation('the byte ranges of a File are in order', part.id);
      if (contentOf(part) !== (file.parts[0]?.content ?? '').replace(' damaged', '')) {
        this.#violation('a File has one content', file.parts.map(({ content }) => content).join());
      }
      offsetBytes += part.sizeBytes;
    }
    if (offsetBytes !== this.#plan.sizeBytes) this.#violation('a File has all bytes', String(offsetBytes));
    const { md5 = true, sha256 = false } = this.#plan.request;
    // Of the source, although bytes were damaged on their way if nothing can see that.
    const { content = '' } = file.parts.at(-1) ?? {};
    const digest = (algorithm: 'md5' | 'sha256') =>
      digestOfSource(content.replace(' damaged', ''), offsetBytes, algorithm);
    if (result.sha256 !== (sha256 ? digest('sha256') : undefined))
      this.#violation('the result has the SHA-256 of the File', String(result.sha256));
    if (result.md5 !== (md5 ? digest('md5') : null))
      this.#violation('the result has the MD5 of the File', String(result.md5));
    if (result.sessions !== this.#received.size) {
      this.#violation('the result counts the sessions', `${result.sessions} instead of ${this.#received.size}`);
    }
    const orphans = this.#service.sessions.size - this.#received.size;
    if (orphans > result.orphanedSessions) {
      this.#violation('the result counts the orphaned sessions', `${result.orphanedSessions} instead of ${orphans}`);
    }
  }

  #notCompleted(close: Exclude<Close, { readonly status: 'completed' }>): void {
    const type = close.status === 'failed' ? close.failure.applicationFailureInfo?.type : undefined;
    const text = close.status === 'failed' ? describeFailure(close.failure) : close.status;
    if (close.status === 'failed' && !type) this.#violation('a failure has a type', text);
    const isUncertain = type === FailureType.CompletionUncertain;
    const { listLagMs, checksMd5 } = this.#service.style;
    // Its content is not that of the source, and the service has not seen that.
    const isDamaged = !checksMd5 && this.#plan.faults.some(({ fault }) => fault.kind === 'damaged');
    if (this.#service.files.size > 0 && !isUncertain && !isDamaged && !this.#isHidden())
      this.#violation('a File that exists is the result', text);
    if (isUncertain && this.#doubtful.size === 0) this.#violation('an uncertain completion has a cause', text);
    if (isDamaged) return;
    if (isUncertain && this.#service.files.size > 0 && listLagMs < MAX_LIST_LAG_MS && !this.#hasListFaults()) {
      this.#violation('a File that the list shows is found', text);
    }
    if (type !== FailureType.ContentInvalid) this.#neededToFail(type ?? '', text);
    else if (!this.#plan.folder && !this.#plan.hasInvalidContent) this.#violation('valid content is accepted', text);
    const { maxSessions = 3 } = this.#plan.request;
    const counted = this.#received.size - this.#lostWhileWaiting.size;
    if (type === FailureType.SessionLost && counted < maxSessions) {
      this.#violation('a session that is lost while the upload waits does not count', `${counted} of ${maxSessions}`);
    }
  }

  /** A failure that a longer wait or a new session would have avoided. */
  #neededToFail(type: string, text: string): void {
    const { request, faults, outages, actions, style, partMs } = this.#plan;
    const isCalm = faults.length + outages.length + actions.length + style.maxPartBytes === 0;
    if (isCalm && partMs[1] < 60_000) this.#violation('an upload without faults completes', text);
    const isRejected = type === FailureType.ApiRejected;
    // Nor does a new session help if the service rejects every call.
    const isAlways = outages.some(({ fault }) => fault.kind === 'status' && fault.status === 400);
    if (isRejected && text.includes('returned 400') && !text.includes('md5') && !isAlways) {
      this.#violation('a new session is opened if it can help', text);
    }
    const { giveUpAfterMs = 24 * HOUR } = request;
    const pausesMs = faults.map(({ fault }) => ('retryAfterMs' in fault ? (fault.retryAfterMs ?? 0) : 0));
    const outagesMs = outages.map((outage) => outage.forMs + ('retryAfterMs' in outage.fault ? HOUR : 0));
    const troubleMs = [...pausesMs, ...outagesMs].reduce((sum, ms) => sum + ms, 0);
    const isOutage = ['ApiUnavailable', 'ConnectionFailed', 'StrangeAnswer'].includes(type);
    if (isOutage && (giveUpAfterMs === 0 || troubleMs + HOUR < giveUpAfterMs)) {
      this.#violation('an outage that is shorter than the retry period is survived', text);
    }
  }

  /** A File that the list shows late is not detectable if the service does not report that the session is completed. */
  #isHidden(): boolean {
    const { listLagMs, endedStatus } = this.#service.style;
    return (listLagMs > MAX_LIST_LAG_MS && endedStatus === 404) || this.#notCancelled.size > 0;
  }

  #hasListFaults(): boolean {
    const { faults, outages } = this.#plan;
    return [...faults, ...outages].some(({ call }) => call === 'listFiles' || call === '*');
  }

  /** The session that was open is lost, or the upload ends. */
  #noteLoss(): void {
    const { session, waiting } = this.#beforeEnd ?? {};
    if (!session || !waiting) return;
    const { uploadId, expiresAt } = session;
    const overForMs = this.#beforeEndAtMs - expiresAt * 1000;
    // An upload takes it for lost a second early. Of a wait and a pause at the same time, the wait is reason enough.
    if (overForMs >= -1000 && this.#waitedIn.has(uploadId)) this.#failed.add(uploadId);
    const isOver = overForMs > MAX_DELAY_MS && this.#heldBack.has(uploadId);
    if (this.#callFailed.has(uploadId) || isOver) this.#lostWhileWaiting.add(uploadId);
  }
}

/** Whether an operator can fix it: not the end of a worker, or a failure of a call that is being aborted. */
function isWaitedFor(failure: Failure | null | undefined): boolean {
  const { cause, activityFailureInfo } = failure ?? {};
  const type = cause?.applicationFailureInfo?.type ?? FailureType.WorkerStopping;
  return type !== FailureType.WorkerStopping && activityFailureInfo?.retryState !== RetryState.CANCEL_REQUESTED;
}

function partName(task: ActivityTask): string {
  const { uploadId, partNumber } = task.input[0] as UploadPartInput;
  return `part ${partNumber} of ${uploadId}`;
}
