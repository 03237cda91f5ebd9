import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { RateMeter } from '../../src/core/pace/rate-meter.ts';
import {
  AttributeUpdates,
  attributePairs,
  readAttributes,
  type AttributeValues,
} from '../../src/core/show/attributes.ts';

/**
 * Sets the details of this workflow in Temporal UI, and its search attributes if the namespace has them, according to the
 * first activity. A missing search attribute would stop the workflow.
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

  /** @param isSettled whether no bytes are being sent, so that the exact progress must be set now */
  attributes(values: Partial<AttributeValues>, isSettled = false): void {
    const changes = attributePairs(this.#updates?.next(values, isSettled) ?? {});
    if (changes.length > 0) upsertSearchAttributes(changes);
  }
}

const WINDOW_MS = 60_000;

/** The rate of the last minute, by Temporal's clock. */
export class Pace {
  readonly #meter = new RateMeter(WINDOW_MS);

  /** @param bytes total so far */
  measure(bytes: number): { readonly nowMs: number; readonly bytesPerSecond: number | undefined } {
    const nowMs = Date.now();
    this.#meter.add(bytes, nowMs);
    return { nowMs, bytesPerSecond: this.#meter.bytesPerSecond };
  }
}
