import { textUpTo } from './text-check.ts';

/** A queue's name also contains that of the control queue, and some clusters permit 255 bytes. */
const MAX_BYTES = 200;

/** The problem of a name of a host, as the rest of a sentence. It becomes part of the name of a task queue. */
export function hostNameProblem(value: unknown): string | undefined {
  const problem = textUpTo(MAX_BYTES)(value);
  if (problem !== undefined) return problem;
  if (!/[\s\p{C}"'`\\/]/u.test(value as string)) return undefined;
  return 'must have no spaces, quotes, slashes or control characters, for example transfer-1';
}
