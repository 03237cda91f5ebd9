import { findRunning, isSync, type WorkflowSummary } from '../../../client/lists/list-uploads.ts';
import { ConfigError } from '../../../errors.ts';
import type { Backend } from '../../backend.ts';
import { assertPromptable, confirm } from '../../text/terminal.ts';
import { terminalWidth } from '../../text/wrap-text.ts';
import type { CliContext } from '../../context.ts';
import { formatTable, type Column } from '../../text/table.ts';

/** The uploads and syncs that a command controls. */
export interface SteerSelection {
  readonly ids: readonly string[];
  /** A list filter of Temporal, instead of IDs. */
  readonly query?: string;
  /** Whether to skip the prompt. */
  readonly yes?: boolean;
}

const NAMED_TARGETS = 10;

/**
 * Checks a selection before Temporal is called.
 *
 * @param isTerminal whether standard input is a terminal, so that the command can prompt
 * @throws ConfigError if the selection is empty, ambiguous or requires a prompt without a terminal
 */
export function checkSelection({ ids, query, yes }: SteerSelection, verb: string, isTerminal: boolean): void {
  if (query === undefined && ids.length === 0) {
    throw new ConfigError(`nothing to ${verb}. Pass IDs ("longhaul list --running" shows them) or use --query.`);
  }
  if (query === undefined) return;
  if (ids.length > 0) throw new ConfigError('cannot combine IDs and --query. Remove one of them.');
  if (query.trim() === '')
    throw new ConfigError(`--query must be a list filter, for example LonghaulState = "waiting".`);
  if (!yes) assertPromptable(isTerminal, `Use --yes to ${verb} all matches.`);
}

/**
 * Returns the selected IDs; undefined if the user, who sees them first, declines.
 *
 * @param includesSyncs whether the command also applies to syncs
 * @throws QueryRefusedError, SearchAttributesMissingError, TemporalUnreachableError
 */
export async function select(
  context: CliContext,
  { client }: Backend,
  { ids, query, yes }: SteerSelection,
  verb: string,
  includesSyncs: boolean,
): Promise<readonly string[] | undefined> {
  const found = query === undefined ? undefined : await findRunning(client.temporal, query);
  const fitting = found?.filter((one) => includesSyncs || !isSync(one));
  const targets = fitting?.map(({ workflowId }) => workflowId) ?? [...new Set(ids)];
  const needsPrompt = query === undefined ? targets.length > 1 && context.stdin.isTTY : targets.length > 0;
  if (yes || !needsPrompt) return targets;

  const named = fitting
    ? formatTable(columns, fitting.slice(0, NAMED_TARGETS), terminalWidth(context.stderr))
    : targets.slice(0, NAMED_TARGETS);
  named.forEach(context.note);
  if (targets.length > NAMED_TARGETS) context.note(`… and ${targets.length - NAMED_TARGETS} more`);
  const these = targets.length === 1 ? 'this one' : `these ${targets.length}`;
  return (await confirm(context, `${verb} ${these}?`)) ? targets : undefined;
}

const columns: readonly Column<WorkflowSummary>[] = [
  { header: 'ID', text: ({ workflowId }) => workflowId, shrinksTo: 24 },
  { header: 'STATE', text: ({ state }) => state ?? 'running' },
  { header: 'WHY', text: ({ reason }) => reason ?? '' },
  { header: 'TYPE', text: (one) => (isSync(one) ? 'sync' : 'upload'), dropOrder: 1 },
];
