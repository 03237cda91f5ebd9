import { SingleBar } from 'cli-progress';
import type { SyncEvent } from '../../../client/sync-handle.ts';
import type { SyncDecision, SyncProgress, UnmatchedGlob } from '../../../contracts/sync.ts';
import { formatBytes } from '../../../core/text/format.ts';
import { barLine, waitOf, waitOrSilenceOf } from '../../text/bar-line.ts';

const LINE_INTERVAL_MS = 5000;

/** Renders the events of one sync on standard error. */
export interface SyncView {
  show(event: SyncEvent): void;
  close(): void;
}

export function createSyncView(
  kind: 'bars' | 'lines' | 'quiet',
  note: (line: string) => void,
  stderr: NodeJS.WriteStream,
): SyncView {
  if (kind === 'quiet') return new QuietView(note);
  return kind === 'bars' ? new BarView(note, stderr) : new LineView(note);
}

/** @param bytesSent with those of the files under way */
export function describeSyncProgress(progress: SyncProgress, bytesSent = progress.counts.sent.bytes): string {
  return wordsOf(progress, bytesSent).join(' · ');
}

function wordsOf({ state, counts }: SyncProgress, bytesSent: number): string[] {
  const { toSend, sent, failed, toDelete, deleted } = counts;
  if (state === 'deleting') return ['deleting', `${deleted} of ${toDelete}`];
  if (toSend.files === 0) return [state];
  const words = [`${sent.files} of ${toSend.files} files`, `${formatBytes(bytesSent)} of ${formatBytes(toSend.bytes)}`];
  if (failed > 0) words.push(`${failed} failed`);
  if (state !== 'uploading') words.push(state);
  return words;
}

/** Says only what the sync waits for: without a person it may wait for a day. */
class QuietView implements SyncView {
  readonly #note: (line: string) => void;
  #wait = '';

  constructor(note: (line: string) => void) {
    this.#note = note;
  }

  show(event: SyncEvent): void {
    const wait = waitOf(event) ?? '';
    if (wait && wait !== this.#wait) this.#note(wait);
    this.#wait = wait;
  }

  close(): void {}
}

class LineView implements SyncView {
  readonly #note: (line: string) => void;
  #last = { state: '', trouble: '', atMs: 0 };

  constructor(note: (line: string) => void) {
    this.#note = note;
  }

  show(event: SyncEvent): void {
    const trouble = waitOrSilenceOf(event) ?? '';
    if (trouble && trouble !== this.#last.trouble) this.#note(trouble);
    this.#last.trouble = trouble;
    if (event.type !== 'progress') return;
    const { state } = event.progress;
    const now = Date.now();
    if (state === this.#last.state && now - this.#last.atMs < LINE_INTERVAL_MS) return;
    this.#last = { state, trouble, atMs: now };
    this.#note(describeSyncProgress(event.progress, event.bytesSent));
  }

  close(): void {}
}

class BarView implements SyncView {
  readonly #note: (line: string) => void;
  readonly #bar: SingleBar;
  #isStarted = false;
  #trouble = '';

  constructor(note: (line: string) => void, stderr: NodeJS.WriteStream) {
    this.#note = note;
    this.#bar = new SingleBar({
      format: (_options, { progress }, { words }: { words: string[] }) =>
        barLine({ fraction: progress, words }, stderr.columns),
      stream: stderr,
      hideCursor: true,
      linewrap: false,
    });
  }

  show(event: SyncEvent): void {
    const trouble = waitOrSilenceOf(event) ?? '';
    if (trouble && trouble !== this.#trouble) {
      this.close();
      this.#note(trouble);
    }
    this.#trouble = trouble;
    if (event.type !== 'progress') return;
    const { toSend, sent } = event.progress.counts;
    const { bytesSent = sent.bytes } = event;
    const words = wordsOf(event.progress, bytesSent);
    if (!this.#isStarted) this.#bar.start(1, 0, { words });
    this.#isStarted = true;
    this.#bar.setTotal(Math.max(toSend.bytes, 1));
    this.#bar.update(bytesSent, { words });
  }

  close(): void {
    if (this.#isStarted) this.#bar.stop();
    this.#isStarted = false;
  }
}

const reasons: Readonly<Record<SyncDecision['why'], string>> = {
  new: 'new',
  changed: 'changed',
  same: 'the same',
  'known-content': 'the same bytes are there as',
  gone: 'its source is gone',
};

/** A glob that matched nothing, as a warning. */
export function describeUnmatched({ list, glob, matchesFolder }: UnmatchedGlob): string {
  const fix = matchesFolder ? `It matches a folder. For a folder with its files, use '${glob}/'.` : 'Check the glob.';
  return `--${list} '${glob}' matched no file. ${fix}`;
}

/** A decision of a dry run on one line. */
export function describeDecision({ action, why, path, bytes, fileId }: SyncDecision): string {
  const file = why === 'known-content' || why === 'gone' ? ` ${fileId}` : '';
  const reason = why === 'gone' ? `${reasons.gone} (File${file})` : `${reasons[why]}${file}`;
  return `${action.padEnd(6)}  ${path}  ${formatBytes(bytes)}  ${reason}`;
}
