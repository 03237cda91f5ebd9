import { constants } from 'node:fs';
import { access } from 'node:fs/promises';

/** Whether this user may read the file. */
export function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
