import { CommanderError } from 'commander';
import { FailureType } from '../../contracts/failures.ts';
import { errnoOf } from '../../core/text/errno-cause.ts';
import { ApiError, LonghaulError } from '../../errors.ts';
import { AlreadyReported, errorText, Interrupted } from './exit.ts';

/** The property `error` of the JSON of a command. */
export interface JsonError {
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
