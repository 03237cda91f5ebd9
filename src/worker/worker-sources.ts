import { Runtime } from '@temporalio/worker';
import { protectedByEnvironment } from '../config-protected.ts';
import { confined, rejectedKinds, type SourceSettings } from '../sources/source-settings.ts';

/** What a worker reads: only what is listed, and nothing that the environment's keys and state are in. */
export function workerSources(settings: SourceSettings = {}): SourceSettings {
  const { files, ...others } = settings;
  const given = files?.protect;
  const own = protectedByEnvironment();
  const protect = {
    files: [...(given?.files ?? []), ...own.files],
    folders: [...(given?.folders ?? []), ...own.folders],
    copies: given?.copies ?? own.copies,
  };
  return confined({ ...others, files: { ...files, protect } });
}

/** Says once which kinds of sources a worker rejects altogether, and how to permit them. */
export function warnOfRejectedSources(settings: SourceSettings | undefined): void {
  const kinds = rejectedKinds(settings);
  if (kinds.length === 0) return;
  const list = new Intl.ListFormat('en-GB').format(kinds);
  const message = `this worker rejects all ${list}: none is listed. List those that callers can name, or use --any-source`;
  Runtime.instance().logger.warn(message);
}
