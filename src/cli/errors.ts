import { CommanderError } from 'commander';
import { printable } from '../core/text/printable.ts';
import { LonghaulError, ApiError } from '../errors.ts';
import { redact } from '../redact.ts';
import { sentences, grpcCause, grpcFault, namespaceMissing, type Explanation } from '../temporal/grpc-cause.ts';
import { errnoCause, errnoOf, machineFixes } from '../core/text/errno-cause.ts';
import { FailureType } from '../contracts/failures.ts';

/** Ctrl-C or SIGTERM. */
export class Interrupted extends Error {}

/** The command failed, and its output contains the reason. */
export class AlreadyReported extends Error {}

/** 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted. */
export const ExitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Codes of errors that only a change of the arguments, the configuration or the source can fix. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  'CONFIG_INVALID',
  'SOURCE_MISSING',
  'SOURCE_UNUSABLE',
  'SOURCE_ARCHIVED',
  'SOURCE_FORBIDDEN',
  'SOURCE_NOT_RANGED',
  'JOB_ID_TAKEN',
  'NAMESPACE_NOT_FOUND',
  'TEMPORAL_DENIED',
  'QUERY_REFUSED',
  'SEARCH_ATTRIBUTES_MISSING',
  'SCHEDULE_NOT_FOUND',
  'SCHEDULE_EXISTS',
]);

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  if (error instanceof Interrupted) return ExitCode.interrupted;
  return error instanceof LonghaulError && USAGE_CODES.has(error.code) ? ExitCode.usage : ExitCode.failed;
}

/** Returns the line to print; undefined if the error was already printed. */
export function describeError(error: unknown): string | undefined {
  if (error instanceof CommanderError || error instanceof Interrupted || error instanceof AlreadyReported)
    return undefined;
  return `longhaul: ${errorText(error)}`;
}

/** Returns the line without the program's name. */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof LonghaulError) return oneLine(message);
  const explanation = explainError(error);
  // Any other error is a defect of Longhaul, which the user must be able to report.
  return explanation
    ? oneLine(sentences(explanation))
    : `unexpected error: ${oneLine(message)}. For details, set LONGHAUL_LOG_LEVEL=debug.`;
}

function oneLine(text: string): string {
  return printable(redact(text).replace(/\s*\n\s*/g, ' · '));
}

/** Some files failed. The command has printed them, and completed the others. */
export class FilesFailedError extends LonghaulError {
  readonly code = 'FILES_FAILED';
  readonly retryable = false;
}

/** Verbs for `cannot <verb> <object>`, and the system calls that they describe. */
const verbs: Readonly<Record<string, readonly string[]>> = {
  read: ['access', 'lstat', 'read', 'readlink', 'realpath', 'stat', 'statfs'],
  write: ['fsync', 'ftruncate', 'write'],
  open: ['open'],
  list: ['opendir', 'scandir'],
  create: ['link', 'mkdir', 'symlink'],
  'create a temporary directory': ['mkdtemp'],
  copy: ['copyfile'],
  rename: ['rename'],
  delete: ['rm', 'rmdir', 'unlink'],
  'change the permissions of': ['chmod'],
  'listen on': ['bind', 'listen'],
  'connect to': ['connect'],
  resolve: ['getaddrinfo'],
};

const fixes: Readonly<Record<string, string>> = {
  ...machineFixes,
  EACCES: 'Grant this user access to it',
  EPERM: 'Grant this user access to it',
  EADDRINUSE: 'Choose another port',
  EADDRNOTAVAIL: 'Choose an address of this machine',
  EDQUOT: 'Free some space',
  EFBIG: 'Raise the limit',
  ENOSPC: 'Free some space',
  EROFS: 'Choose a path on a file system that can be written',
};

/** Explains an error of the system or of Temporal; undefined for any other error, which is a defect of Longhaul. */
function explainError(error: unknown): Explanation | undefined {
  const fault = grpcFault(error);
  if (fault) return grpcCause(fault);
  const { name, namespace } = (error ?? {}) as { readonly name?: string; readonly namespace?: string };
  if (name === 'NamespaceNotFoundError') return namespaceMissing(namespace ?? '');
  // undici's parser of responses is WebAssembly, which reserves gigabytes of addresses.
  if (error instanceof RangeError && error.message.startsWith('WebAssembly.'))
    return { problem: 'the process cannot reserve memory', fix: 'Raise the limit of virtual memory (ulimit -v)' };
  const code = errnoOf(error);
  return code === undefined ? undefined : explainErrno(code, error as SystemError);
}

interface SystemError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
}

function explainErrno(code: string, { syscall = '', path, address, port, hostname }: SystemError): Explanation {
  if (syscall === 'uv_cwd') {
    return { problem: 'the current directory does not exist (ENOENT)', fix: 'Change to another directory' };
  }
  if (syscall.startsWith('spawn')) {
    const problem = `cannot start ${path ?? 'a program'}: ${errnoCause(code)}`;
    return { problem, fix: fixes[code] ?? 'Check the program' };
  }
  const [verb = 'use'] = Object.entries(verbs).find(([, calls]) => calls.includes(syscall)) ?? [];
  const where = address === undefined || port === undefined ? address : `${address}:${port}`;
  const unnamed = verb === 'write' ? 'a file or the output' : 'a file or an address';
  const problem = `cannot ${verb} ${path ?? where ?? hostname ?? unnamed}: ${errnoCause(code)}`;
  if (syscall === 'mkdtemp') return { problem, fix: 'Set TMPDIR to a directory that this user can write to' };
  const otherwise = where === undefined ? 'Check the path' : 'Check the address and that the server is running';
  return { problem, fix: fixes[code] ?? otherwise };
}

/** The property `error` of the JSON of a command. */
interface JsonError {
  /** A failure type, or the name of an error of a command in the same form. Stable. */
  readonly code: string;
  readonly message: string;
}

/** Failure types of errors whose code has another name. */
const failureTypes: Readonly<Record<string, string>> = {
  SOURCE_READ_FAILED: FailureType.SourceUnavailable,
  SOURCE_NOT_RANGED: FailureType.SourceUnusable,
  SOURCE_NOT_NAMED: FailureType.SourceForbidden,
};

export function jsonErrorOf(error: unknown): JsonError {
  if (error instanceof CommanderError) return { code: 'UsageInvalid', message: usageText(error) };
  if (error instanceof Interrupted) {
    return { code: 'Interrupted', message: 'interrupted. Run the same command again to resume.' };
  }
  if (error instanceof AlreadyReported) return { code: 'Failed', message: 'the command failed. See standard error.' };
  return { code: codeOf(error), message: errorText(error) };
}

function codeOf(error: unknown): string {
  if (error instanceof LonghaulError && 'failureType' in error) return error.failureType as string;
  if (error instanceof ApiError) return error.retryable ? FailureType.ApiUnavailable : FailureType.ApiRejected;
  if (!(error instanceof LonghaulError)) return errnoOf(error) ?? 'Unexpected';
  return failureTypes[error.code] ?? pascalCase(error.code);
}

function pascalCase(code: string): string {
  return code.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
}

function usageText({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'a command is missing. See "longhaul --help".';
  return message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
}

/** Whether a command line, valid or not, requests JSON. */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes('--json');
}
