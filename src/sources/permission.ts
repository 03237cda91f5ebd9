import { SourceForbiddenError, SourceNotNamedError, type LonghaulError } from '../errors.ts';
import { compileGlobs } from '../core/glob/glob.ts';

/**
 * Returns the error for a source that no list permits.
 *
 * @param what for example `the file /data/x`
 * @param option the option that would permit it, with its value
 */
export function notPermitted(
  what: string,
  option: string,
  value: string,
  { isOfCommand = false }: { readonly isOfCommand?: boolean | undefined },
): LonghaulError {
  if (isOfCommand) {
    return new SourceNotNamedError(
      `no command named ${what}. Run "longhaul worker ${option} ${value}", or run the command that named it again.`,
    );
  }
  return new SourceForbiddenError(
    `this worker does not permit ${what}. Start "longhaul worker" with ${option} ${value}, or list it in the config file.`,
  );
}

/** Whether a name matches one of `patterns`, which are names or globs. */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.includes(name) || compileGlobs(patterns)(name);
}
