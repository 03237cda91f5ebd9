import { Limits } from '../../src/contracts/limits.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../../src/core/pace/rate.ts';
import { inputProblem } from '../../src/core/payload.ts';
import { quoted } from '../../src/core/text/clip.ts';
import { flag, wholeNumber, type Check } from '../../src/core/text/check.ts';

const limit: Check = (value) =>
  value === 0 || wholeNumber(MIN_LIMIT_BYTES_PER_SECOND, Number.MAX_SAFE_INTEGER)(value) === undefined
    ? undefined
    : `must be 0, or a whole number from ${MIN_LIMIT_BYTES_PER_SECOND}`;

const ofRetune: Readonly<Record<string, Check>> = {
  concurrency: wholeNumber(1, Limits.maxConcurrency),
  partSizeBytes: wholeNumber(Limits.minPartSizeBytes, Limits.settablePartSizeBytes),
  limitBytesPerSecond: limit,
  ignoreInode: flag,
};

/** Every problem of the input of the update `retune`, which any caller can send. */
export function retuneProblems(input: unknown): string[] {
  const problem = inputProblem('a retune', input);
  if (problem !== undefined) return [problem];
  const fields = input as Readonly<Record<string, unknown>>;
  const names = Object.keys(fields).slice(0, 20);
  if (names.length === 0) return ['set "concurrency", "partSizeBytes", "limitBytesPerSecond" or "ignoreInode"'];
  return names.flatMap((name) => {
    if (!Object.hasOwn(ofRetune, name)) return [`${quoted(name)} is not a property of a retune`];
    const wrong = ofRetune[name]?.(fields[name]);
    return wrong === undefined ? [] : [`"${name}" ${wrong}`];
  });
}

/** The same of the update `pause`. */
export function pauseProblems(input: unknown): string[] {
  const { parts } = (input ?? {}) as { readonly parts?: unknown };
  return parts === undefined || parts === 'finish' || parts === 'stop' ? [] : ['"parts" must be "finish" or "stop"'];
}
