import { TextLimits } from '../../contracts/limits.ts';
import { isPlainObject } from '../../core/payload.ts';
import { hostNameProblem, taskQueueProblem } from '../../core/task-queue.ts';
import { textUpTo, wholeNumber, type Check } from '../../core/text/check.ts';
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
  const { host, connection } = options;
  problems.push(...checkProblems(options, { taskQueue: taskQueueProblem }));
  problems.push(...textProblems(options, ['host', 'namespace']));
  if (typeof host === 'string' && host !== '') problems.push(...checkProblems(options, { host: hostNameProblem }));
  if (connection !== undefined && !isPlainObject(connection)) {
    problems.push('"connection" must be an object such as { address: "localhost:7233" }');
  }
  if (isPlainObject(connection)) problems.push(...checkProblems(connection, connectionChecks, 'connection.'));
  problems.push(...checkProblems(options, { interceptors: list, dataConverter: object }));
  throwProblems(problems);
}

const object: Check = (value) => (isPlainObject(value) ? undefined : 'must be an object');
const list: Check = (value) =>
  Array.isArray(value) && value.every(isPlainObject) ? undefined : 'must be a list of objects';
const connectionChecks: Readonly<Record<string, Check>> = {
  address: (value) => (typeof value === 'string' && value !== '' ? undefined : 'must be a non-empty string'),
  apiKey: (value) =>
    typeof value === 'string' || typeof value === 'function' ? undefined : 'must be a string or a function',
};

/** @throws ConfigError if a program without types passed something else than a client of Temporal's SDK */
export function assertTemporalClient(client: unknown): void {
  const { workflow, options } = (isPlainObject(client) ? client : {}) as {
    readonly workflow?: unknown;
    readonly options?: unknown;
  };
  if (isPlainObject(workflow) && isPlainObject(options) && isPlainObject(options['loadedDataConverter'])) return;
  throw new ConfigError('the first argument of new LonghaulClient() must be a Client of @temporalio/client');
}

/**
 * @param name of the option or argument
 * @throws ConfigError if Temporal cannot have a workflow with this ID
 */
export function assertWorkflowId(name: string, id: unknown, mostBytes: number = TextLimits.workflowId): void {
  const problem = textUpTo(mostBytes)(id);
  if (problem !== undefined) throw new ConfigError(`"${name}" ${problem}`);
}

const followChecks: Readonly<Record<'intervalMs' | 'signal', Check>> = {
  // Node.js replaces the duration of a timer that is longer by 1 ms.
  intervalMs: wholeNumber(0, 2 ** 31 - 1),
  signal: (value) =>
    isPlainObject(value) &&
    typeof value['throwIfAborted'] === 'function' &&
    typeof value['addEventListener'] === 'function'
      ? undefined
      : 'must be an AbortSignal',
};

/**
 * Checks the options of `result`, `receipt` or `progress` of a handle.
 *
 * @throws ConfigError with every problem
 */
export function assertFollowOptions(
  options: unknown,
  method: string,
  names: readonly (keyof typeof followChecks)[],
): void {
  assertObject(options, `the options of ${method}()`);
  const checks = Object.fromEntries(names.map((name) => [name, followChecks[name]]));
  throwProblems([...unknownOptions(options, names), ...checkProblems(options, checks)]);
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
  throwProblems(problems);
}

/**
 * Checks the options of a method that are not properties of the request.
 *
 * @param method name of the method
 * @param texts names of the options that are texts
 * @param checks of further options
 * @throws ConfigError with every problem
 */
export function assertTextOptions(
  options: unknown,
  method: string,
  texts: readonly string[],
  checks: Readonly<Record<string, Check>> = {},
): void {
  assertObject(options, `the options of ${method}()`);
  throwProblems([...textProblems(options, texts), ...checkProblems(options, checks)]);
}

/**
 * Checks that a method has no other options. An option that is unknown is most likely a typo.
 *
 * @throws ConfigError with every problem
 */
export function assertOptionNames(options: unknown, method: string, known: readonly string[]): void {
  assertObject(options, `the options of ${method}()`);
  throwProblems(unknownOptions(options, known));
}

type Options = Readonly<Record<string, unknown>>;

function assertObject(value: unknown, what: string): asserts value is Options {
  if (!isPlainObject(value)) throw new ConfigError(`${what} must be an object`);
}

function throwProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
}

/** Problems of the options that are set. */
function checkProblems(options: Options, checks: Readonly<Record<string, Check>>, path = ''): string[] {
  return Object.entries(checks).flatMap(([name, check]) => {
    const value = options[name] ?? undefined;
    const problem = value === undefined ? undefined : check(value);
    return problem === undefined ? [] : [`"${path}${name}" ${problem}`];
  });
}

function unknownOptions(options: object, known: readonly string[]): string[] {
  return Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => `"${name}" is not an option. Use ${known.join(', ')}`);
}

function textProblems(options: Options, names: readonly string[]): string[] {
  return names
    .filter((name) => options[name] !== undefined && (typeof options[name] !== 'string' || options[name] === ''))
    .map((name) => `"${name}" must be a non-empty string`);
}
