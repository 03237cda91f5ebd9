import { stat } from 'node:fs/promises';

/** A changed file is detected at most this much later. */
export const FILE_CHECK_INTERVAL_MS = 1000;

/**
 * Identity of the content behind a path. A link is followed, so that the replacement of a link's target (Kubernetes
 * secrets) is a change too.
 */
export async function fileIdentity(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join('-');
}

/** What is wrong with a file, for the end of a sentence that starts with its name. */
export function fileProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist';
  return `can't be read: ${message}`;
}
