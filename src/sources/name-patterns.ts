import { compileGlobs } from '../core/glob.ts';

/** Whether a name is one of `patterns`, which are names or globs. */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.includes(name) || compileGlobs(patterns)(name);
}
