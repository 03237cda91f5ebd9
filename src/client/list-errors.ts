import { LonghaulError } from '../errors.ts';

/** Temporal refuses a list query; the message is its own. */
export class QueryRefusedError extends LonghaulError {
  readonly code = 'QUERY_REFUSED';
  readonly retryable = false;
}

/** The namespace lacks a search attribute that was asked for. */
export class SearchAttributesMissingError extends LonghaulError {
  readonly code = 'SEARCH_ATTRIBUTES_MISSING';
  readonly retryable = false;

  constructor(name: string, cause: unknown) {
    super(
      `this namespace does not know the search attribute ${name}: register Longhaul's with "longhaul setup"; uploads that start afterwards carry them`,
      { cause },
    );
  }
}
