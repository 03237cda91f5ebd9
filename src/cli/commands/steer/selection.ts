import { findRunning } from '../../../client/lists/list-uploads.ts';
import { isSync, type WorkflowSummary } from '../../../client/lists/workflow-summary.ts';
import { printable } from '../../../core/text/printable.ts';
import { ConfigError } from '../../../errors.ts';
import type { Backend } from '../../backend.ts';
import { confirm } from '../../text/confirm.ts';
import type { CliContext } from '../../context.ts';
import { formatTable, type Column } from '../../text/table.ts';
import { terminalWidth } from '../../text/wrap-text.ts';

/** Which uploads and syncs a command steers. */
export interface SteerSelection {
  readonly ids: readonly string[];
  /** A list query of Temporal's, instead of ids. */
  readonly query?: string;
  /** Don't ask before. */
  readonly yes?: boolean;
}

const NAMED_TARGETS = 10;

/**
 * @param isTerminal whether standard input is one, so that a person can be asked
 * @throws ConfigError for what can be known to be wrong before Temporal is asked
 */
export function checkSelection({ ids, query, yes }: SteerSelection, verb: string, isTerminal: boolean): void {
  if (query === undefined && ids.length === 0) {
    throw new ConfigError(`nothing to ${verb}: give ids ("longhaul list --running" shows them) or --query`);
  }
  if (query === undefined) return;
  if (ids.length > 0) throw new ConfigError('give ids or --query, not both');
  if (query.trim() === '') throw new ConfigError(`--query is empty; such a one matches: LonghaulState = "waiting"`);
  if (!yes && !isTerminal) {
    throw new ConfigError(
      `--query asks before it goes to work, and there is no terminal: add --yes to ${verb} all that match`,
    );
  }
}

/**
 * The ids that are selected; undefined when a person, shown them, says no.
 *
 * @param takesSyncs whether syncs can be told this too
 * @throws QueryRefusedError, SearchAttributesMissingError, TemporalUnreachableError
 */
export async function select(
  context: CliContext,
  { client }: Backend,
  { ids, query, yes }: SteerSelection,
  verb: string,
  takesSyncs: boolean,
): Promise<readonly string[] | undefined> {
  const found = query === undefined ? undefined : await findRunning(client.temporal, query);
  const fitting = found?.filter((one) => takesSyncs || !isSync(one));
  const targets = fitting?.map(({ workflowId }) => workflowId) ?? [...new Set(ids)];
  const mustAsk = query === undefined ? targets.length > 1 && context.stdin.isTTY : targets.length > 0;
  if (yes || !mustAsk) return targets;

  for (const line of fitting ? describeFound(fitting, terminalWidth(context.stderr)) : describeIds(targets))
    context.note(line);
  if (targets.length > NAMED_TARGETS) context.note(`… and ${targets.length - NAMED_TARGETS} more`);
  const these = targets.length === 1 ? 'this one' : `these ${targets.length}`;
  return (await confirm(context, `${verb} ${these}?`)) ? targets : undefined;
}

function describeIds(ids: readonly string[]): string[] {
  return ids.slice(0, NAMED_TARGETS).map(printable);
}

function describeFound(found: readonly WorkflowSummary[], width: number | undefined): string[] {
  return formatTable(columns, found.slice(0, NAMED_TARGETS), width);
}

const columns: readonly Column<WorkflowSummary>[] = [
  { header: 'ID', text: ({ workflowId }) => workflowId, shrinksTo: 24 },
  { header: 'STATE', text: ({ state }) => state ?? 'running' },
  { header: 'WHY', text: ({ reason }) => reason ?? '' },
  { header: 'TYPE', text: (one) => (isSync(one) ? 'sync' : 'upload'), dropOrder: 1 },
];
