import { access, constants, open, rename, rm, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import type { Receipt } from '../../../contracts/requests/receipt.ts';
import { errnoCause, errnoOf } from '../../../core/text/errno-cause.ts';
import { ConfigError } from '../../../errors.ts';
import type { UploadCommandOptions } from './options.ts';

/**
 * Checks before an upload that its receipt can be written.
 *
 * @throws ConfigError if it cannot
 */
export async function checkReceipt(options: UploadCommandOptions, files: readonly string[]): Promise<void> {
  const { receipt, detach } = options;
  if (receipt === undefined) return;
  if (files.length > 1)
    throw new ConfigError('--receipt requires a single source. Upload each file with a separate command.');
  if (detach) {
    throw new ConfigError(
      '--receipt cannot be used with --detach. Run the same command with --receipt after the upload is completed.',
    );
  }
  const path = resolve(receipt);
  try {
    if ((await stat(path).catch(() => undefined))?.isDirectory())
      throw new ConfigError(`--receipt must be a file, and ${path} is a directory. Add a name.`);
    await access(dirname(path), constants.W_OK);
    if (!(await stat(dirname(path))).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Replaces the file atomically. Only this user can read it. @throws ConfigError if it cannot be written */
export async function writeReceipt(name: string, receipt: Receipt): Promise<void> {
  const path = resolve(name);
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(receipt, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw cannotWrite(path, error);
  }
}

function cannotWrite(path: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  return new ConfigError(`cannot write the receipt ${path}: ${errnoCause(code)}. Choose another path with --receipt.`);
}
