import { realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { SourceForbiddenError } from '../errors.ts';

/**
 * Lets through what really lies below one of the roots: links are followed first, so that neither they nor `..` lead out.
 *
 * @throws SourceForbiddenError
 */
export async function assertWithinRoots(path: string, roots: readonly string[]): Promise<void> {
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => resolve(root))));
  const real = await realpath(path).catch(() => undefined);
  // Whether something is missing is told only about places that may be read.
  const isAllowed =
    real === undefined
      ? isWithin(resolve(path), [...roots.map((root) => resolve(root)), ...realRoots])
      : isWithin(real, realRoots);
  if (!isAllowed) {
    throw new SourceForbiddenError(
      `${path} lies outside the directories that files may be read from: ${roots.join(', ')}`,
    );
  }
}

/**
 * The same for a file that is open already: a link may have been turned between the look and the opening.
 *
 * @throws SourceForbiddenError
 */
export async function assertOpenedWithinRoots(path: string, fd: number, roots: readonly string[]): Promise<void> {
  // Linux tells what a descriptor stands for; elsewhere the path is looked at once more.
  const opened = await realpath(`/proc/self/fd/${fd}`).catch(() => path);
  try {
    await assertWithinRoots(opened, roots);
  } catch {
    throw new SourceForbiddenError(`${path} led out of the directories that files may be read from when it was opened`);
  }
}

function isWithin(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`));
}
