import type { Client } from '@temporalio/client';
import { SearchAttributes } from '../contracts/search-attributes.ts';
import { QueryRefusedError, SearchAttributesMissingError } from './list-errors.ts';
import { fromTemporal, refusalOf } from './temporal-faults.ts';
import { toWorkflowSummary, type WorkflowSummary } from './workflow-summary.ts';

/**
 * What a list query of Temporal's finds, in the server's order: newest first.
 *
 * @throws QueryRefusedError, SearchAttributesMissingError, TemporalUnreachableError
 */
export async function* listWorkflows(client: Client, query: string): AsyncGenerator<WorkflowSummary> {
  try {
    for await (const found of client.workflow.list({ query })) yield toWorkflowSummary(found);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw fromTemporal(error, '');
    const unknown = Object.values(SearchAttributes).find(({ name }) => refusal.endsWith(`search attribute: ${name}`));
    if (unknown) throw new SearchAttributesMissingError(unknown.name, error);
    throw new QueryRefusedError(`Temporal refuses the query: ${refusal.replace(/^invalid query: /, '')}`, {
      cause: error,
    });
  }
}
