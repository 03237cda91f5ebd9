import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import {
  AttributeUpdates,
  attributePairs,
  readAttributes,
  type AttributeValues,
} from '../../src/core/show/attributes.ts';

/**
 * What Temporal UI shows of this workflow: the details of its page, and its search attributes, if the first activity
 * found that the namespace has them. An attribute that it does not have would stop the workflow.
 */
export class Status {
  #updates: AttributeUpdates | undefined;

  /** @param hasAttributes as the first activity returned it */
  use(hasAttributes: boolean | undefined): void {
    if (hasAttributes) this.#updates ??= new AttributeUpdates(readAttributes(workflowInfo().searchAttributes));
  }

  /** @param details Markdown */
  details(details: string): void {
    setCurrentDetails(details);
  }

  /** @param isSettled nothing moves, so that there is no later moment for the exact progress */
  attributes(values: Partial<AttributeValues>, isSettled = false): void {
    const changes = attributePairs(this.#updates?.next(values, isSettled) ?? {});
    if (changes.length > 0) upsertSearchAttributes(changes);
  }
}
