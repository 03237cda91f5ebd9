import { MultiBar, type SingleBar } from 'cli-progress';
import type { JobEvent } from '../../client/jobs.ts';
import { printable } from '../../core/text/printable.ts';
import { redact } from '../../redact.ts';
import { RateMeter } from '../../core/pace/rate-meter.ts';
import { getOrAdd } from '../../core/objects.ts';
import { SessionOutlook } from './session-outlook.ts';
import { progressWords, barLine, waitOf, waitOrSilenceOf } from '../text/progress.ts';
import { terminalWidth, wrapText } from '../text/wrap-text.ts';

/** Shows the progress of the jobs of a command on standard error. The only sync of a command has the empty name. */
interface LiveView {
  readonly show: (name: string, event: JobEvent, workflowId: string) => void;
  readonly close: () => void;
}

type Note = (line: string) => void;

const LINE_INTERVAL_MS = 5000;

/** `quiet` prints only the reasons for which an upload waits, because it can wait for an operator. */
export function createLiveView(kind: 'bars' | 'lines' | 'quiet', note: Note, stderr: NodeJS.WriteStream): LiveView {
  if (kind === 'quiet')
    return { show: problemPrinter(note, (event, _advice, id) => waitOf(event, id)), close: () => {} };
  return kind === 'bars' ? barView(stderr) : lineView(note);
}

function describeProblem(event: JobEvent, advice: string | undefined, workflowId: string): string | undefined {
  const wait = waitOrSilenceOf(event, workflowId);
  if (wait || event.type !== 'progress') return wait;
  if (advice !== undefined) return advice;
  if (!event.trouble) return undefined;
  if (event.trouble.failureType === 'WorkerStopping') return undefined;
  return `${event.trouble.message.replace(/\.$/, '')}. Retrying.`;
}

/** Returns a function that prints a problem once, and not again for each event that repeats it. */
function problemPrinter(
  note: Note,
  describe: (event: JobEvent, advice: string | undefined, workflowId: string) => string | undefined = describeProblem,
): LiveView['show'] {
  const printed = new Map<string, string>();
  const outlook = new SessionOutlook();
  return (name, event, workflowId) => {
    const problem = describe(event, outlook.advise(name, event), workflowId);
    // Each attempt has another request ID.
    const kind = problem?.replace(/ \(request [^)]*\)/g, '');
    if (problem && printed.get(name) !== kind) note(labelled(name, problem));
    if (kind) printed.set(name, kind);
    else printed.delete(name);
  };
}

function lineView(note: Note): LiveView {
  const jobs = new Map<string, { readonly meter: RateMeter; state: string; atMs: number; line: string }>();
  const showProblem = problemPrinter(note);
  return {
    show: (name, event, workflowId) => {
      showProblem(name, event, workflowId);
      if (event.type !== 'progress') return;
      const nowMs = Date.now();
      const { progress, bytesSent } = event;
      const job = getOrAdd(jobs, name, () => ({ meter: new RateMeter(), state: '', atMs: nowMs, line: '' }));
      job.meter.add(bytesSent, nowMs);
      if (job.state === progress.state && nowMs - job.atMs < LINE_INTERVAL_MS) return;
      const line = progressWords(progress, bytesSent, job.meter.bytesPerSecond).join(' · ');
      if (line !== job.line) note(labelled(name, line));
      Object.assign(job, { state: progress.state, atMs: nowMs, line });
    },
    close: () => {},
  };
}

function barView(stderr: NodeJS.WriteStream): LiveView {
  const bars = new MultiBar({
    format: (_options, { progress }, { name, words }: { name: string; words: string[] }) =>
      barLine({ name, fraction: progress, words }, stderr.columns),
    stream: stderr,
    hideCursor: true,
    clearOnComplete: false,
    linewrap: false,
    // Without a terminal, lines are printed instead.
    noTTYOutput: false,
  });
  const jobs = new Map<string, { readonly bar: SingleBar; readonly meter: RateMeter }>();
  const showProblem = problemPrinter((line) => {
    bars.log(`${wrapText(printable(redact(line)), terminalWidth(stderr))}\n`);
    bars.update();
  });
  return {
    show: (name, event, workflowId) => {
      showProblem(name, event, workflowId);
      if (event.type !== 'progress') return;
      const { progress, bytesSent } = event;
      const { bar, meter } = getOrAdd(jobs, name, () => ({
        bar: bars.create(1, 0, { name, words: [] }),
        meter: new RateMeter(),
      }));
      meter.add(bytesSent, Date.now());
      bar.setTotal(Math.max(progress.bytesTotal, 1));
      bar.update(bytesSent, { name, words: progressWords(progress, bytesSent, meter.bytesPerSecond) });
    },
    close: () => bars.stop(),
  };
}

function labelled(name: string, text: string): string {
  return name === '' ? text : `${name}: ${text}`;
}
