import { Runtime, type NativeConnection } from '@temporalio/worker';
import { lackingAttributes } from '../core/attribute-registry.ts';

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
