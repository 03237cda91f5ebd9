import { taskQueueProblem } from '../../core/task-queue.ts';
import { ConfigError } from '../../errors.ts';

const clientOptions = ['taskQueue', 'host', 'sources'] as const;
const connectOptions = [...clientOptions, 'connection', 'namespace', 'interceptors', 'dataConverter'] as const;

/**
 * Checks the options of a `LonghaulClient`, because programs without types can pass any value.
 *
 * @throws ConfigError with every problem
 */
export function assertClientOptions(options: unknown, kind: 'constructor' | 'connect'): void {
  assertObject(options, `the options of ${kind === 'connect' ? 'connect()' : 'new LonghaulClient()'}`);
  const problems = unknownOptions(options, kind === 'connect' ? connectOptions : clientOptions);
  const { taskQueue, connection } = options;
  const ofQueue = taskQueue === undefined ? undefined : taskQueueProblem(taskQueue);
  if (ofQueue !== undefined) problems.push(`"taskQueue" ${ofQueue}`);
  problems.push(...textProblems(options, ['host', 'namespace']));
  if (connection !== undefined && (typeof connection !== 'object' || connection === null)) {
    problems.push('"connection" must be an object such as { address: "localhost:7233" }');
  }
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
}

const listOptions = ['syncs', 'running', 'state', 'taskQueue', 'limit'];

/** Checks the options of `LonghaulClient.list()`. @throws ConfigError with every problem */
export function assertListOptions(options: unknown): void {
  assertObject(options, 'the options of list()');
  const problems = unknownOptions(options, listOptions);
  const { state, limit } = options;
  // It becomes a part of a query.
  if (state !== undefined && (typeof state !== 'string' || !/^[a-z]+$/.test(state)))
    problems.push('"state" must be a state of uploads, for example waiting');
  if (limit !== undefined && !(typeof limit === 'number' && limit >= 0)) problems.push('"limit" must be a number');
  problems.push(...textProblems(options, ['taskQueue']));
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
}

/**
 * Checks the options of a method that are not properties of the request.
 *
 * @param method name of the method
 * @param texts names of the options that are texts
 * @throws ConfigError with every problem
 */
export function assertTextOptions(options: unknown, method: string, texts: readonly string[]): void {
  assertObject(options, `the options of ${method}()`);
  const problems = textProblems(options, texts);
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
}

function assertObject(value: unknown, what: string): asserts value is Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new ConfigError(`${what} must be an object`);
}

function unknownOptions(options: object, known: readonly string[]): string[] {
  return Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => `"${name}" is not an option. Use ${known.join(', ')}`);
}

function textProblems(options: Readonly<Record<string, unknown>>, names: readonly string[]): string[] {
  return names
    .filter((name) => options[name] !== undefined && (typeof options[name] !== 'string' || options[name] === ''))
    .map((name) => `"${name}" must be a non-empty string`);
}
