import type { SearchAttributePair } from '@temporalio/common';
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { FailureType } from '../../src/contracts/failures.ts';
import { SearchAttributes } from '../../src/contracts/search-attributes.ts';
import {
  AttributeUpdates,
  attributePairs,
  initialAttributes,
  readAttributes,
  type AttributeSubject,
  type AttributeValues,
} from '../../src/core/show/attributes.ts';

/**
 * The search attributes of this workflow, when it was started with its state as one: only then the cluster knows them,
 * and one that it doesn't know would hold the workflow up for ever.
 */
export class ShownAttributes {
  readonly #updates: AttributeUpdates | undefined;

  constructor() {
    const { searchAttributes } = workflowInfo();
    if (searchAttributes[SearchAttributes.state.name] === undefined) return;
    this.#updates = new AttributeUpdates(readAttributes(searchAttributes));
  }

  /** @param isSettled nothing moves, so that there is no later moment for the exact progress */
  show(values: Partial<AttributeValues>, isSettled = false): void {
    const changes = attributePairs(this.#updates?.next(values, isSettled) ?? {});
    if (changes.length > 0) upsertSearchAttributes(changes);
  }

  /** Of a request that is wrong: nothing else is known of it. */
  showRefusal(): void {
    this.show({ state: 'failed', reason: FailureType.InvalidRequest });
  }

  /** For an upload that this workflow starts. */
  ofChild(subject: AttributeSubject): { readonly typedSearchAttributes?: SearchAttributePair[] } {
    if (!this.#updates) return {};
    return { typedSearchAttributes: attributePairs(initialAttributes('inspecting', subject)) as SearchAttributePair[] };
  }
}
