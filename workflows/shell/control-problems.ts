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
  const fields = input as Fields;
  if (Object.keys(fields).length > 0) return fieldProblems('retune', ofRetune, fields);
  return ['set "concurrency", "partSizeBytes", "limitBytesPerSecond" or "ignoreInode"'];
}

const ofPause: Readonly<Record<string, Check>> = {
  parts: (value) => (value === 'finish' || value === 'stop' ? undefined : 'must be "finish" or "stop"'),
  whileCompleting: flag,
};

/** The same of the update `pause`, whose input can be omitted. */
export function pauseProblems(input: unknown): string[] {
  if (input === undefined || input === null) return [];
  const problem = inputProblem('a pause', input);
  return problem === undefined ? fieldProblems('pause', ofPause, input as Fields) : [problem];
}

type Fields = Readonly<Record<string, unknown>>;

/** Problems of the properties. A property that is unknown is most likely a typo, without which the effect is another. */
function fieldProblems(noun: string, checks: Readonly<Record<string, Check>>, fields: Fields): string[] {
  return Object.keys(fields)
    .slice(0, 20)
    .flatMap((name) => {
      if (!Object.hasOwn(checks, name)) return [`${quoted(name)} is not a property of a ${noun}`];
      const wrong = checks[name]?.(fields[name]);
      return wrong === undefined ? [] : [`"${name}" ${wrong}`];
    });
}
