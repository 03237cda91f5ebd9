import { MultiBar, type SingleBar } from 'cli-progress';
import type { JobEvent } from '../../client/jobs.ts';
import { printable } from '../../core/text/printable.ts';
import { redact } from '../../redact.ts';
import { RateMeter } from '../../core/pace/rate-meter.ts';
import { SessionOutlook } from './session-outlook.ts';
import { progressWords, barLine, waitOf, waitOrSilenceOf } from '../text/progress.ts';
import { terminalWidth, wrapText } from '../text/wrap-text.ts';

/** Shows the progress of the jobs of a command on standard error. The only sync of a command has the empty name. */
interface LiveView {
  show(name: string, event: JobEvent): void;
  /** Prints a separate line above the bars. */
  note(line: string): void;
  close(): void;
}

const LINE_INTERVAL_MS = 5000;

export function createLiveView(
  kind: 'bars' | 'lines' | 'quiet',
  note: (line: string) => void,
  stderr: NodeJS.WriteStream,
): LiveView {
  if (kind === 'quiet') return new QuietView(note);
  return kind === 'bars' ? new BarView(stderr) : new LineView(note);
}

function describeProblem(event: JobEvent, advice: string | undefined): string | undefined {
  const wait = waitOrSilenceOf(event);
  if (wait || event.type !== 'progress') return wait;
  if (advice !== undefined) return advice;
  if (!event.trouble) return undefined;
  if (event.trouble.failureType === 'WorkerStopping') return undefined;
  return `${event.trouble.message.replace(/\.$/, '')}. Retrying.`;
}

/** Prints a problem once, and not again for each event that repeats it. */
class ProblemPrinter {
  readonly #printed = new Map<string, string>();
  readonly #outlook = new SessionOutlook();
  readonly #describe: (event: JobEvent, advice: string | undefined) => string | undefined;

  constructor(describe: (event: JobEvent, advice: string | undefined) => string | undefined = describeProblem) {
    this.#describe = describe;
  }

  print(name: string, event: JobEvent, note: (line: string) => void): void {
    const problem = this.#describe(event, this.#outlook.advise(name, event));
    if (problem && this.#printed.get(name) !== problem) note(labelled(name, problem));
    if (problem) this.#printed.set(name, problem);
    else this.#printed.delete(name);
  }
}

/** Prints only the reasons for which an upload waits, because it can wait for an operator. */
class QuietView implements LiveView {
  readonly #note: (line: string) => void;
  readonly #waits = new ProblemPrinter(waitOf);

  constructor(note: (line: string) => void) {
    this.#note = note;
  }

  show(name: string, event: JobEvent): void {
    this.#waits.print(name, event, this.#note);
  }

  note(): void {}

  close(): void {}
}

class LineView implements LiveView {
  readonly note: (line: string) => void;
  readonly #meters = new Map<string, RateMeter>();
  readonly #lastLine = new Map<string, { state: string; atMs: number }>();
  readonly #problems = new ProblemPrinter();

  constructor(note: (line: string) => void) {
    this.note = note;
  }

  show(name: string, event: JobEvent): void {
    this.#problems.print(name, event, this.note);
    if (event.type !== 'progress') return;
    const now = Date.now();
    const meter = getOrAdd(this.#meters, name, () => new RateMeter());
    meter.add(event.bytesSent, now);
    const last = this.#lastLine.get(name);
    if (last && last.state === event.progress.state && now - last.atMs < LINE_INTERVAL_MS) return;
    this.#lastLine.set(name, { state: event.progress.state, atMs: now });
    this.note(labelled(name, progressWords(event.progress, event.bytesSent, meter.bytesPerSecond).join(' · ')));
  }

  close(): void {}
}

class BarView implements LiveView {
  readonly #stderr: NodeJS.WriteStream;
  readonly #bars: MultiBar;
  readonly #byName = new Map<string, { bar: SingleBar; meter: RateMeter }>();
  readonly #problems = new ProblemPrinter();

  constructor(stderr: NodeJS.WriteStream) {
    this.#stderr = stderr;
    this.#bars = new MultiBar({
      format: (_options, { progress }, { name, words }: { name: string; words: string[] }) =>
        barLine({ name, fraction: progress, words }, stderr.columns),
      stream: stderr,
      hideCursor: true,
      clearOnComplete: false,
      linewrap: false,
      // Without a terminal, `LineView` prints lines instead.
      noTTYOutput: false,
    });
  }

  show(name: string, event: JobEvent): void {
    this.#problems.print(name, event, (line) => this.note(line));
    if (event.type !== 'progress') return;
    const { bar, meter } = getOrAdd(this.#byName, name, () => ({
      bar: this.#bars.create(1, 0, { name, words: [] }),
      meter: new RateMeter(),
    }));
    meter.add(event.bytesSent, Date.now());
    bar.setTotal(Math.max(event.progress.bytesTotal, 1));
    bar.update(event.bytesSent, { name, words: progressWords(event.progress, event.bytesSent, meter.bytesPerSecond) });
  }

  note(line: string): void {
    this.#bars.log(`${wrapText(printable(redact(line)), terminalWidth(this.#stderr))}\n`);
    this.#bars.update();
  }

  close(): void {
    this.#bars.stop();
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

function labelled(name: string, text: string): string {
  return name === '' ? text : `${name}: ${text}`;
}
