import { Runtime } from '@temporalio/worker';
import { rejectedKinds, type SourceSettings } from '../sources/source-settings.ts';

/** Says once which kinds of sources a worker rejects altogether, and how to permit them. */
export function warnOfRejectedSources(settings: SourceSettings | undefined): void {
  const kinds = rejectedKinds(settings);
  if (kinds.length === 0) return;
  const list = new Intl.ListFormat('en-GB').format(kinds);
  const message = `this worker rejects all ${list}: none is listed. List those that callers can name, or use --any-source`;
  Runtime.instance().logger.warn(message);
}
