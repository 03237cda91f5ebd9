import { setTimeout } from 'node:timers/promises';
import cliTruncate from 'cli-truncate';
import { isSync } from '../../../client/lists/workflow-summary.ts';
import { findWaiting, type UnpolledQueue } from '../../../client/queues/unpolled-queue.ts';
import { TemporalUnreachableError } from '../../../temporal/temporal-errors.ts';
import { withBackend, type Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import { listenToKeys } from './keyboard.ts';
import { isLiveTerminal, LiveScreen } from '../../text/live-screen.ts';
import { TopBoard, type TopPicture } from './board.ts';
import { terminalWidth } from '../../text/wrap-text.ts';
import { describeRows, describeTotals, sortRows, type TopSort } from './view.ts';

export interface TopCommandOptions {
  readonly sort: TopSort;
  readonly once?: boolean;
  readonly json?: boolean;
}

const REFRESH_MS = 1000;
/** Slower where many are asked. */
const LARGE_REFRESH_MS = 2000;
const LARGE_ROWS = 20;
const ASK_TIMEOUT_MS = 2000;
/** Nobody watches how long it takes. */
const ASK_ONCE_TIMEOUT_MS = 5000;
/** The totals, an empty line, the headers, what is left out, and the line of the cursor. */
const OTHER_LINES = 5;

export async function topCommand(context: CliContext, options: TopCommandOptions): Promise<void> {
  const isLive = !options.once && !options.json && isLiveTerminal(context.stdout);
  await withBackend(context, {}, async (backend) => {
    if (isLive) await live(context, backend, options.sort);
    else await once(context, backend, options);
  });
}

async function once(context: CliContext, { client }: Backend, { sort, json }: TopCommandOptions): Promise<void> {
  const { signal } = context;
  const board = new TopBoard(client, ASK_ONCE_TIMEOUT_MS);
  const looks = Promise.all([
    board.look(Infinity, sort, signal),
    // The board reports them after more than one look.
    findWaiting(client.temporal).catch(() => new Map<string, UnpolledQueue>()),
  ]);
  const [found, waiting] = await looks.finally(() => signal.throwIfAborted());
  const rows = found.rows.map((row) => ({ ...row, trouble: waiting.get(row.workflowId)?.reason ?? row.trouble }));
  const picture = { ...found, rows };
  if (json) {
    // Apart, for scripts that take each of `uploads` for one.
    const uploads = picture.rows.filter((row) => !isSync(row));
    return context.json({ uploads, syncs: picture.rows.filter(isSync) });
  }
  context.note(describeTotals(picture.states, picture.rows, picture.isMore));
  if (picture.rows.length === 0) return;
  describeRows(picture.rows, terminalWidth(context.stdout)).forEach(context.out);
}

/** Until `q` or Ctrl-C, which are the usual ends of it and no interruption. */
async function live(context: CliContext, { client }: Backend, firstSort: TopSort): Promise<void> {
  let sort = firstSort;
  let picture: TopPicture | undefined;
  let trouble: string | undefined;
  const board = new TopBoard(client, ASK_TIMEOUT_MS);
  const screen = new LiveScreen(context.stdout);
  const rowCount = () => Math.max(screen.rows - OTHER_LINES, 1);
  const draw = () => screen.show(() => describe(picture, sort, trouble, rowCount(), screen.columns));

  const quitting = new AbortController();
  const letGo = listenToKeys(context.stdin, (key) => {
    if (key === 'q' || key === 'ctrl-c') quitting.abort();
    if (key !== 's') return;
    sort = sort === 'start' ? 'state' : 'start';
    draw();
  });
  const signal = AbortSignal.any([context.signal, quitting.signal]);
  try {
    draw();
    while (!signal.aborted) {
      try {
        picture = await board.look(rowCount(), sort, signal);
        trouble = undefined;
      } catch (error) {
        if (!(error instanceof TemporalUnreachableError)) throw error;
        trouble = 'Temporal does not answer; it is asked again';
      }
      if (signal.aborted) break;
      draw();
      const pauseMs = (picture?.rows.length ?? 0) > LARGE_ROWS ? LARGE_REFRESH_MS : REFRESH_MS;
      await setTimeout(pauseMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    letGo();
    screen.close();
  }
}

function describe(
  picture: TopPicture | undefined,
  sort: TopSort,
  trouble: string | undefined,
  count: number,
  width: number,
): string[] {
  if (!picture) return [trouble ?? 'looking for uploads and syncs'];
  const { rows, states, isMore } = picture;
  const shown = sortRows(rows, sort).slice(0, count);
  const totals = [describeTotals(states, rows, isMore), `by ${sort} (s changes it, q quits)`];
  const more = states.uploads.length + states.syncs.length - shown.length;
  return [
    [...totals, ...(trouble ? [trouble] : [])].join(' · '),
    '',
    ...(shown.length > 0 ? describeRows(shown, width) : []),
    ...(more > 0 ? [`… and ${more} more; a taller window shows them`] : []),
  ].map((line) => cliTruncate(line, width));
}
