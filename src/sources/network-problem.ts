import { ConnectionError, SourceReadError, TimeoutError } from '../errors.ts';

/** The error for a source that a proxy does not reach; undefined for any other error. */
export function networkProblem(error: unknown, name: string): SourceReadError | undefined {
  if (!(error instanceof ConnectionError || error instanceof TimeoutError)) return undefined;
  return new SourceReadError(`${name} can't be read at the moment: ${error.message}`, { cause: error });
}
