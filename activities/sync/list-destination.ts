import type { SyncScope } from '../../src/contracts/plan-sync.ts';
import { FileTable } from '../../src/core/sync/file-table.ts';
import { nameKey } from '../../src/core/text/name-form.ts';
import type { CallOptions } from '../../src/destinations/http/call-limits.ts';
import type { Destination } from '../../src/destinations/port.ts';
import { TextFile } from './text-file.ts';
import { filePages, LostPlaceError } from '../file-pages.ts';

/** Maximum restarts of a list because the File whose ID marked the position between two pages was deleted. */
const MAX_STARTS = 3;

export interface DestinationList {
  /** Usable Files with the purpose and prefix, newest first. */
  readonly files: FileTable;
  /** Rows that cannot be read and can be Files of this purpose. */
  readonly unreadableRows: number;
}

/** The purpose of Files, and the prefix of their names. */
type Named = Pick<SyncScope, 'purpose' | 'prefix'>;

/**
 * Lists the Files of one purpose. Ignores all rows of another purpose.
 *
 * @throws StrangeAnswerError if the list is endless, or shorter than announced
 */
export async function listDestination(
  client: Destination,
  scope: Named,
  options: CallOptions,
): Promise<DestinationList> {
  for (let start = 1; ; start++) {
    try {
      return await listOnce(client, scope, options);
    } catch (error) {
      if (!(error instanceof LostPlaceError)) throw error;
      if (start === MAX_STARTS) throw error.cause;
    }
  }
}

async function listOnce(client: Destination, { purpose, prefix }: Named, options: CallOptions) {
  const files = new FileTable(new TextFile());
  let unreadableRows = 0;
  const nowSeconds = Date.now() / 1000;
  for await (const page of filePages(client, { purpose }, options)) {
    for (const file of page.files) {
      // A service can ignore the filter by purpose.
      const isOurs = file.purpose === purpose && nameKey(file.filename).startsWith(nameKey(prefix));
      const isUsable = file.status !== 'error' && (file.expiresAt === undefined || file.expiresAt > nowSeconds);
      if (isOurs && isUsable) files.add(file);
    }
    unreadableRows += page.unreadable.filter((other) => other === undefined || other === purpose).length;
  }
  return { files, unreadableRows };
}
