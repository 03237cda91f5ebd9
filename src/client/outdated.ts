import { QueryNotRegisteredError } from '@temporalio/client';

/**
 * Whether a query failed because the worker that received it cannot replay the workflow: another version of Longhaul
 * started it. Every workflow of Longhaul responds to the query of its progress, so that no other reason exists.
 */
export function isOutdated(error: unknown): boolean {
  return error instanceof QueryNotRegisteredError;
}

/** What a report about such a workflow says. */
export const OUTDATED = 'another version of Longhaul started it, and the version of its workers cannot continue it';
