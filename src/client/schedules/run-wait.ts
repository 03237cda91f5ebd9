import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { listWorkflows } from '../lists/list-uploads.ts';
import { queryText } from '../../core/show/attributes.ts';
import { SearchAttributes } from '../../contracts/search-attributes.ts';

type Run = Pick<WorkflowExecutionInfo, 'workflowId' | 'typedSearchAttributes'>;

/**
 * Returns the reason for which a running run, or one of its uploads, waits; undefined if it does not wait or search
 * attributes are missing.
 *
 * @throws TemporalUnreachableError
 */
export async function waitOfRun(
  client: Client,
  { workflowId, typedSearchAttributes: attributes }: Run,
): Promise<string | undefined> {
  const state = attributes.get(SearchAttributes.state);
  // If the namespace does not have the attributes, Temporal rejects the query.
  if (state === undefined) return undefined;
  if (state === 'waiting') return attributes.get(SearchAttributes.reason) ?? 'an operator';
  const conditions = [
    `ParentWorkflowId = ${queryText(workflowId)}`,
    'ExecutionStatus = "Running"',
    `${SearchAttributes.state.name} = "waiting"`,
  ];
  for await (const upload of listWorkflows(client, conditions.join(' AND '))) {
    return `${upload.reason ?? 'an operator'} (upload ${upload.workflowId})`;
  }
  return undefined;
}
