import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { listWorkflows } from '../lists/list-uploads.ts';
import { queryText } from '../../core/show/attributes.ts';
import { SearchAttributes } from '../../contracts/search-attributes.ts';

type Run = Pick<WorkflowExecutionInfo, 'workflowId' | 'typedSearchAttributes'>;

/**
 * What a run that has not ended waits for, itself or one of its uploads; undefined when it doesn't wait, or search
 * attributes don't tell.
 *
 * @throws TemporalUnreachableError
 */
export async function waitOfRun(
  client: Client,
  { workflowId, typedSearchAttributes: attributes }: Run,
): Promise<string | undefined> {
  const state = attributes.get(SearchAttributes.state);
  // The namespace may lack the attributes, and then Temporal refuses the query.
  if (state === undefined) return undefined;
  if (state === 'waiting') return attributes.get(SearchAttributes.reason) ?? 'a person';
  const conditions = [
    `ParentWorkflowId = ${queryText(workflowId)}`,
    'ExecutionStatus = "Running"',
    `${SearchAttributes.state.name} = "waiting"`,
  ];
  for await (const upload of listWorkflows(client, conditions.join(' AND '))) {
    return `${upload.reason ?? 'a person'} (upload ${upload.workflowId})`;
  }
  return undefined;
}
