import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import {
  AttributeUpdates,
  attributePairs,
  readAttributes,
  type AttributeValues,
} from '../../src/core/show/attributes.ts';

/**
 * The search attributes of this workflow, if the first activity found that the namespace has them: an attribute that it
 * does not have would stop the workflow.
 */
export class ShownAttributes {
  #updates: AttributeUpdates | undefined;

  /** @param hasAttributes as the first activity returned it */
  use(hasAttributes: boolean | undefined): void {
    if (hasAttributes) this.#updates ??= new AttributeUpdates(readAttributes(workflowInfo().searchAttributes));
  }

  /** @param isSettled nothing moves, so that there is no later moment for the exact progress */
  show(values: Partial<AttributeValues>, isSettled = false): void {
    const changes = attributePairs(this.#updates?.next(values, isSettled) ?? {});
    if (changes.length > 0) upsertSearchAttributes(changes);
  }
}
