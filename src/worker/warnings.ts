import { Runtime, type NativeConnection } from '@temporalio/worker';
import { lackingAttributes } from '../core/show/attribute-registry.ts';
import { ALL_KINDS, rejectedKinds, type SourceSettings } from '../sources/source-settings.ts';

const ASK_TIMEOUT_MS = 5000;

/** Says once what a namespace lacks. Uploads go on without, so nothing else comes of it. */
export async function warnOfLackingAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  try {
    const { customAttributes } = await connection.withDeadline(Date.now() + ASK_TIMEOUT_MS, () =>
      connection.operatorService.listSearchAttributes({ namespace }),
    );
    const { missing, conflicts } = lackingAttributes(customAttributes);
    const lacking = [...missing, ...conflicts].map(({ name }) => name);
    if (lacking.length === 0) return;
    const message = `namespace ${namespace} lacks the search attributes ${lacking.join(', ')}: uploads don't show their state in lists; "longhaul setup" mends it`;
    Runtime.instance().logger.warn(message);
  } catch {
    // Not every worker may ask.
  }
}

/**
 * Logs once which kinds of sources a worker rejects, and how to permit them. A worker that rejects every kind can read
 * nothing, so that this is a warning. If some kind is listed, the others are excluded on purpose.
 */
export function warnOfRejectedSources(settings: SourceSettings | undefined): void {
  const kinds = rejectedKinds(settings);
  if (kinds.length === 0) return;
  const list = new Intl.ListFormat('en-GB').format(kinds);
  const message = `this worker rejects all ${list}: none is listed. List those that callers can name, or use --any-source`;
  Runtime.instance().logger[kinds.length === ALL_KINDS ? 'warn' : 'info'](message);
}
