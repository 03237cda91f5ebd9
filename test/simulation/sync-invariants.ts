import type { PlanSyncResult, SyncTotals } from '../../src/contracts/plan-sync.ts';
import type { OpenBatchResult, PlannedUpload, SendBatchInput, SendBatchResult } from '../../src/contracts/batch.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import type { SyncProblem, SyncProgress, SyncResult } from '../../src/contracts/sync.ts';
import type { UploadSession } from '../../src/contracts/upload.ts';
import type { ActivityTask, Resolution } from './activity-task.ts';
import type { Execution } from './execution.ts';
import type { Close } from './execution-world.ts';
import { describeFailure, valueOf } from './payloads.ts';
import { isInvalid, type Plan } from './plan.ts';
import type { Service, StoredFile } from './service.ts';
import { contentOfSource, type ModelSources } from './source.ts';

/** Calls that must have ended before a sync ends. */
const MUST_END = ['createUpload', 'openBatch', 'sendBatch', 'deleteFile'];

const OUTAGES: readonly string[] = [
  FailureType.ApiUnavailable,
  FailureType.ConnectionFailed,
  FailureType.StrangeAnswer,
];
const HOUR = 3_600_000;

/** What must hold for a sync, in addition to the rules of its large files. */
export class SyncInvariants {
  readonly #plan: Plan;
  readonly #service: Service;
  readonly #sources: ModelSources;
  readonly #violation: (rule: string, text: string) => void;
  readonly #received = new Set<string>();
  readonly #notEnded = new Set<string>();
  #run = 0;
  /** Fingerprints at the start of this run. */
  #atStart = new Map<string, string>();
  #filesAtStart = new Set<string>();
  /** Uploads of the lists that were made first. */
  #planned = new Map<string, PlannedUpload>();
  #totals: SyncTotals | undefined;
  #progress: SyncProgress | undefined;
  #isPaused = false;
  /** A run ended without a result, and so without a memory of the files that it sent. */
  #hasForgotten = false;
  /** Names of files that a run reported as failed: the response to a completion can be lost permanently. */
  readonly #failed = new Set<string>();
  /** Names of files whose File was found after a worker was killed before its heartbeat had their MD5. */
  readonly #withoutMd5 = new Set<string>();

  constructor(plan: Plan, service: Service, sources: ModelSources, violation: (rule: string, text: string) => void) {
    this.#plan = plan;
    this.#service = service;
    this.#sources = sources;
    this.#violation = violation;
  }

  /** The last one that was seen. */
  get progress(): SyncProgress | undefined {
    return this.#progress;
  }

  /** @param run counted from 1: without faults and changes from the second one */
  begin(run: number): void {
    this.#run = run;
    this.#atStart = new Map([...this.#sources.files].map(([path, { fingerprint }]) => [path, fingerprint]));
    const all = [...this.#service.files.values(), ...this.#service.deleted];
    this.#filesAtStart = new Set(all.map(({ id }) => id));
    this.#planned = new Map();
    this.#totals = undefined;
    this.#progress = undefined;
    this.#isPaused = false;
  }

  paused(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  childStarts(workflowId: string): void {
    if (this.#isPaused) this.#violation('a paused sync starts no upload', workflowId);
  }

  scheduled({ isToldToPause }: Execution, { type, input }: ActivityTask): void {
    // A session can end during a pause, if the service does not accept it any longer.
    const sends = type === 'sendBatch' && (input[0] as SendBatchInput).files.some(({ onlySettle }) => !onlySettle);
    if (isToldToPause && (sends || type === 'openBatch' || type === 'deleteFile'))
      this.#violation('a paused sync sends and deletes nothing', type);
  }

  resolved(task: ActivityTask, { completed, failed }: Resolution): void {
    const result = completed ? valueOf(completed.result) : undefined;
    if (task.type === 'createUpload' && result) this.#received.add((result as UploadSession).uploadId);
    if (task.type === 'openBatch' && result) {
      for (const outcome of (result as OpenBatchResult).outcomes) {
        if ('session' in outcome) this.#received.add(outcome.session.uploadId);
      }
    }
    if (task.type === 'planSync' && result) this.#listed(result as PlanSyncResult);
    // The service responded that it has no such session.
    if (task.type === 'sendBatch' && result) {
      const { files } = task.input[0] as SendBatchInput;
      for (const [index, outcome] of (result as SendBatchResult).outcomes.entries()) {
        const isLost = 'failure' in outcome && outcome.failure.type === FailureType.SessionLost;
        if (isLost) this.#notEnded.add(files[index]?.uploadId ?? '');
        if ('sent' in outcome && outcome.sent.md5 === null) this.#withoutMd5.add(files[index]?.filename ?? '');
      }
    }
    // The service did not accept the end of the session: a best effort was made.
    if (failed) this.#mayBeOpen(task);
  }

  /** Another client ended an activity. Its end shows nothing about the service. */
  forged(task: ActivityTask): void {
    this.#mayBeOpen(task);
  }

  #mayBeOpen({ input }: ActivityTask): void {
    for (const id of JSON.stringify(input).match(/upload_\d+/g) ?? []) this.#notEnded.add(id);
  }

  activated(execution: Execution, progress: SyncProgress, children: readonly Execution[], nowMs: number): void {
    const before = this.#progress;
    this.#progress = progress;
    const sent = progress.counts.sent.files;
    if (before && sent < before.counts.sent.files) {
      this.#violation('the number of sent files never decreases', `${before.counts.sent.files} → ${sent}`);
    }
    const running = children.filter(({ isOpen }) => isOpen).length;
    const { maxConcurrentUploads = 1 } = this.#plan.folder ?? {};
    if (running > maxConcurrentUploads) this.#violation('a sync keeps its number of uploads', String(running));
    const { waiting, state } = progress;
    if (state === 'waiting' && !waiting?.reason) this.#violation('what waits shows its reason', 'no reason');
    const isRecording = [...execution.tasks.values()].some(({ type }) => type === 'recordSync');
    if (state === 'completed' && isRecording) this.#violation('a completed sync has its manifest', 'recordSync runs');
    if (!execution.isOpen || !waiting || this.#isPaused || execution.isToldToPause) return;
    if (execution.tasks.size + execution.timers.size + execution.awaited.size === 0) {
      this.#violation('what waits has a next attempt', waiting.reason);
    }
    if (waiting.nextProbeAtMs < nowMs) this.#violation('the next attempt is not in the past', waiting.reason);
  }

  /** @param progress after the end @param children executions of the large files */
  closed(execution: Execution, close: Close, progress: SyncProgress | undefined, children: readonly Execution[]): void {
    for (const task of execution.tasks.values()) {
      if (close.status !== 'continued' && MUST_END.includes(task.type)) {
        this.#violation('nothing is sent after the end', `${task.type} still runs`);
      }
    }
    for (const child of children) {
      if (child.isOpen) this.#violation('no upload runs after the end of its sync', child.start.workflowId);
    }
    if (close.status === 'continued') return;
    this.#hasForgotten ||= close.status !== 'completed';
    for (const session of this.#service.sessions.values()) {
      const isOpen = this.#service.statusOf(session) === 'pending';
      if (isOpen && this.#received.has(session.id) && !this.#notEnded.has(session.id)) {
        this.#violation('no session is left open', session.id);
      }
    }
    if (progress && progress.state !== close.status) {
      this.#violation('progress shows the end', `${progress.state} instead of ${close.status}`);
    }
    if (progress?.waiting) this.#violation('nothing waits after the end', progress.waiting.reason);
    if (close.status === 'completed') this.#completed(valueOf(close.result) as SyncResult);
    else this.#neededToEnd(close);
    this.#onlyOneFile();
  }

  #listed(result: PlanSyncResult): void {
    if (result.type !== 'batch') return;
    const isFirst = this.#totals === undefined;
    this.#totals ??= result.totals;
    if (isFirst || this.#planned.size > 0) for (const one of result.uploads) this.#planned.set(one.path, one);
  }

  #completed({ counts, problems, leftOut, postponed = [] }: SyncResult): void {
    for (const { path } of problems) this.#failed.add(path.replaceAll('/', '__'));
    const reported = new Set([...problems, ...leftOut, ...postponed].map(({ path }) => path));
    for (const [path, { fingerprint }] of this.#sources.files) {
      if (this.#atStart.get(path) !== fingerprint || reported.has(path) || this.#hasFile(path, fingerprint)) continue;
      this.#violation('each file that stays is sent or reported', path);
    }
    for (const { path, fingerprint } of this.#planned.values()) {
      if (reported.has(path) || this.#hasFile(path, fingerprint, this.#service.deleted)) continue;
      this.#violation('each planned file is sent or reported', path);
    }
    const all = [...this.#service.files.values(), ...this.#service.deleted];
    const created = all.filter(({ id }) => !this.#filesAtStart.has(id)).length;
    if (counts.sent.files > created || counts.sent.files + counts.failed < created) {
      this.#violation('the numbers of a sync agree with the service', `${JSON.stringify(counts)}, ${created} Files`);
    }
    if (problems.length !== counts.failed || leftOut.length !== counts.leftOut) {
      this.#violation('the numbers of a sync agree with its lists', JSON.stringify(counts));
    }
    const { problemCount = 0, leftOutCount = 0, postponedCount = 0 } = this.#totals ?? {};
    const listed = problemCount + leftOutCount + postponedCount;
    const notSent = counts.failed + counts.leftOut + (counts.postponed ?? 0) - listed;
    if (counts.toSend.files !== counts.sent.files + notSent) {
      this.#violation('the numbers of a sync add up', JSON.stringify(counts));
    }
    this.#survivedOutages(problems);
    this.#checkedContents(problems);
    const others = problems.filter(({ failureType }) => failureType !== FailureType.ContentInvalid);
    if (this.#run === 1) {
      if (this.#isCalm && others.length > 0)
        this.#violation('a sync without faults sends all', others[0]?.message ?? '');
      return;
    }
    for (const { path, message } of others) this.#violation('the next run sends the rest', `${path}: ${message}`);
    if (this.#run > 2 && counts.sent.files + counts.deleted > 0) {
      this.#violation('a further run changes nothing', JSON.stringify(counts));
    }
  }

  /** Only invalid content is rejected, and none becomes a File. */
  #checkedContents(problems: readonly SyncProblem[]): void {
    for (const { path, failureType } of problems) {
      const file = this.#sources.files.get(path);
      const isSame = file !== undefined && this.#atStart.get(path) === file.fingerprint;
      if (failureType !== FailureType.ContentInvalid || !isSame) continue;
      if (!isInvalid(this.#plan, file.content, file.sizeBytes)) this.#violation('valid content is accepted', path);
    }
    for (const { id, parts } of [...this.#service.files.values(), ...this.#service.deleted]) {
      const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      const contents = parts.map(({ content }) => content.replace(' damaged', ''));
      if (contents.some((content) => isInvalid(this.#plan, content, sizeBytes)))
        this.#violation('invalid content creates no File', id);
    }
  }

  /** An outage that is shorter than the retry period costs no file. */
  #survivedOutages(problems: readonly SyncProblem[]): void {
    const { request, faults, outages } = this.#plan;
    const { giveUpAfterMs = 24 * HOUR } = request;
    const pausesMs = faults.map(({ fault }) => ('retryAfterMs' in fault ? (fault.retryAfterMs ?? 0) : 0));
    const outagesMs = outages.map((outage) => outage.forMs + ('retryAfterMs' in outage.fault ? HOUR : 0));
    const troubleMs = [...pausesMs, ...outagesMs].reduce((sum, ms) => sum + ms, 0);
    if (giveUpAfterMs > 0 && troubleMs + HOUR >= giveUpAfterMs) return;
    for (const { path, failureType, message } of problems) {
      if (!OUTAGES.includes(failureType)) continue;
      this.#violation('an outage that is shorter than the retry period is survived', `${path}: ${message}`);
    }
  }

  #neededToEnd(close: Exclude<Close, { readonly status: 'completed' }>): void {
    const text = close.status === 'failed' ? describeFailure(close.failure) : close.status;
    if (close.status === 'failed' && !close.failure.applicationFailureInfo?.type) {
      this.#violation('a failure has a type', text);
    }
    if (this.#run > 1 || this.#isCalm) this.#violation('a sync without faults completes', text);
  }

  /** Of one name and content. Bytes that were damaged on their way are other content. */
  #onlyOneFile(): void {
    const { request, actions } = this.#plan;
    // Without an MD5, size and time decide.
    const isByTime = request.md5 === false || this.#hasForgotten;
    const edits = actions.flatMap(({ action }) => ('edit' in action ? [action] : []));
    const touched = new Set(edits.flatMap(({ edit, path }) => (edit === 'touch' ? [path.replaceAll('/', '__')] : [])));
    const seen = new Map<string, StoredFile>();
    for (const file of this.#service.files.values()) {
      const isUnknown = isByTime || this.#failed.has(file.filename) || this.#withoutMd5.has(file.filename);
      if (touched.has(file.filename) && isUnknown) continue;
      const key = `${file.filename} ${file.text}`;
      const other = seen.get(key);
      if (other) this.#violation('no second File exists', `${other.id} and ${file.id} of ${key}`);
      seen.set(key, file);
    }
  }

  /** Under its own name, or that of a file that was moved. */
  #hasFile(path: string, fingerprint: string, deleted: readonly StoredFile[] = []): boolean {
    const content = contentOfSource(fingerprint, { type: 'file', path });
    const isIt = ({ parts }: StoredFile) => parts.every((part) => part.content.replace(' damaged', '') === content);
    return [...this.#service.files.values(), ...deleted].some(isIt);
  }

  get #isCalm(): boolean {
    const { faults, outages, actions, style } = this.#plan;
    return faults.length + outages.length + actions.length + style.maxPartBytes === 0;
  }
}
