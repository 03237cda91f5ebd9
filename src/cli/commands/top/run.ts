import { setTimeout } from 'node:timers/promises';
import cliTruncate from 'cli-truncate';
import { isSync } from '../../../client/lists/list-uploads.ts';
import type { UnpolledQueue } from '../../../client/jobs.ts';
import { findWaiting } from '../../../client/queues/unpolled-queue.ts';
import { TemporalUnreachableError } from '../../../temporal/temporal-errors.ts';
import { withBackend, type Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import { isLiveTerminal, LiveScreen } from '../../text/terminal.ts';
import { terminalWidth } from '../../text/wrap-text.ts';
import { TopBoard, type TopTable } from './board.ts';
import { describeRows, describeTotals, sortRows, type TopSort } from './view.ts';

interface TopCommandOptions {
  readonly sort: TopSort;
  readonly once?: boolean;
  readonly json?: boolean;
}

const REFRESH_MS = 1000;
/** Interval if the table has many rows, because each row needs a query. */
const LARGE_REFRESH_MS = 2000;
const LARGE_ROWS = 20;
const QUERY_TIMEOUT_MS = 2000;
/** Longer, because no user waits for the next refresh. */
const QUERY_ONCE_TIMEOUT_MS = 5000;
/** The totals, the keys, an empty line, the headers, the line about omitted rows, and the line of the cursor. */
const OTHER_LINES = 6;

export async function topCommand(context: CliContext, options: TopCommandOptions): Promise<void> {
  const isLive = !options.once && !options.json && isLiveTerminal(context.stdout, context.term);
  await withBackend(context, {}, async (backend) => {
    if (isLive) await live(context, backend, options.sort);
    else await once(context, backend, options);
  });
}

async function once(context: CliContext, { client }: Backend, { sort, json }: TopCommandOptions): Promise<void> {
  const { signal } = context;
  const board = new TopBoard(client, QUERY_ONCE_TIMEOUT_MS, 0);
  const reads = Promise.all([
    board.read(Infinity, sort, signal),
    // The board detects them only after several reads.
    findWaiting(client.temporal).catch(() => new Map<string, UnpolledQueue>()),
  ]);
  const [found, waiting] = await reads.finally(() => signal.throwIfAborted());
  const rows = found.rows.map((row) => ({ ...row, trouble: waiting.get(row.workflowId)?.reason ?? row.trouble }));
  const table = { ...found, rows };
  if (json) {
    // Separate, because scripts expect only uploads in `uploads`.
    const uploads = table.rows.filter((row) => !isSync(row));
    return context.json({ uploads, syncs: table.rows.filter(isSync) });
  }
  context.note(describeTotals(table.states, table.rows, table.isMore));
  if (table.rows.length === 0) return;
  describeRows(table.rows, terminalWidth(context.stdout)).forEach(context.out);
}

/** Shows the table until the user presses `q` or Ctrl-C. Ctrl-C is not an interruption here. */
async function live(context: CliContext, { client }: Backend, firstSort: TopSort): Promise<void> {
  let sort = firstSort;
  let table: TopTable | undefined;
  let problem: string | undefined;
  const board = new TopBoard(client, QUERY_TIMEOUT_MS);
  const screen = new LiveScreen(context.stdout);
  const rowCount = () => Math.max(screen.rows - OTHER_LINES, 1);
  const describe = (): readonly string[] => {
    if (!table) return [problem ?? 'listing uploads and syncs'];
    const { rows, states, isMore } = table;
    const shown = sortRows(rows, sort).slice(0, rowCount());
    const more = states.uploads.length + states.syncs.length - shown.length;
    return [
      describeTotals(states, rows, isMore),
      [`sorted by ${sort} (s: change, q: quit)`, ...(problem ? [problem] : [])].join(' · '),
      '',
      ...(shown.length > 0 ? describeRows(shown, screen.columns) : []),
      ...(more > 0 ? [`… and ${more} more. Enlarge the window to show them.`] : []),
    ].map((line) => cliTruncate(line, screen.columns));
  };
  const draw = () => screen.show(describe);

  const quitting = new AbortController();
  const stopReading = listenToKeys(context.stdin, (key) => {
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
        table = await board.read(rowCount(), sort, signal);
        problem = undefined;
      } catch (error) {
        if (!(error instanceof TemporalUnreachableError)) throw error;
        problem = 'Temporal does not respond. Retrying.';
      }
      if (signal.aborted) break;
      draw();
      const pauseMs = (table?.rows.length ?? 0) > LARGE_ROWS ? LARGE_REFRESH_MS : REFRESH_MS;
      await setTimeout(pauseMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    stopReading();
    screen.close();
  }
}

const CTRL_C = '\u0003';

/**
 * Reports each key press. A terminal in raw mode sends no signal at Ctrl-C, so this is reported as `ctrl-c`.
 *
 * @returns a function that stops reading keys
 */
function listenToKeys(stdin: NodeJS.ReadStream, onKey: (key: string) => void): () => void {
  if (!stdin.isTTY) return () => {};
  const onData = (data: Buffer) => {
    for (const key of data.toString()) onKey(key === CTRL_C ? 'ctrl-c' : key);
  };
  stdin.setRawMode(true);
  stdin.on('data', onData);
  return () => {
    stdin.off('data', onData);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
