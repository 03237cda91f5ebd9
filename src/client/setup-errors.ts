import { LonghaulError } from '../errors.ts';

/** The namespace has a search attribute of one of Longhaul's names, of another type. Nothing was registered. */
export class AttributeConflictError extends LonghaulError {
  readonly code = 'SEARCH_ATTRIBUTE_CONFLICT';
  readonly retryable = false;
}

/** The cluster does not let this process register search attributes: Temporal Cloud, a lacking permission, or no room. */
export class SetupRefusedError extends LonghaulError {
  readonly code = 'SETUP_REFUSED';
  readonly retryable = false;
  /** What somebody who may can run instead: with the `temporal` command, and for Temporal Cloud. */
  readonly commands: { readonly temporal: string; readonly cloud: string };

  constructor(message: string, commands: SetupRefusedError['commands'], cause: unknown) {
    super(message, { cause });
    this.commands = commands;
  }
}

/** They were registered, and the cluster doesn't show them yet. */
export class SetupUnfinishedError extends LonghaulError {
  readonly code = 'SETUP_UNFINISHED';
  readonly retryable = true;
}
