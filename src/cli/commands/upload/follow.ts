import type { JobHandle } from '../../../client/job-handle.ts';
import type { UploadOptions } from '../../../client/prepare/prepare-upload.ts';
import { printable } from '../../../core/text/printable.ts';
import type { CliContext } from '../../context.ts';
import { Interrupted } from '../../errors/exit.ts';
import { createLiveView, type LiveView } from '../../job/live-view.ts';
import { outcomeJson, sourceOf, type Outcome } from './outcomes.ts';
import type { UploadCommandOptions } from './options.ts';

export interface StartedUpload {
  readonly handle: JobHandle<'upload' | 'split'>;
  readonly options: UploadOptions;
  /** As in `Outcome`. */
  readonly source: string;
}

/** Follows uploads to their ends. With `--json`, each is printed when it ends, or when the command is interrupted. */
export async function followAll(
  context: CliContext,
  uploads: readonly StartedUpload[],
  options: UploadCommandOptions,
): Promise<Outcome[]> {
  const view = createLiveView(viewKind(context, options), context.note, context.stderr);
  const running = new Set(uploads);
  const followOne = async (upload: StartedUpload): Promise<Outcome> => {
    const outcome = await follow(upload, labelOf(upload.options), view, context.signal);
    running.delete(upload);
    if (options.json) context.json(outcomeJson(outcome));
    return outcome;
  };
  try {
    return await Promise.all(uploads.map(followOne));
  } catch (error) {
    if (options.json) for (const upload of running) context.json(outcomeJson({ ...upload, error }));
    throw error;
  } finally {
    view.close();
  }
}

async function follow(
  { handle, source }: StartedUpload,
  name: string,
  view: LiveView,
  signal: AbortSignal,
): Promise<Outcome> {
  const watching = new AbortController();
  const watch = async () => {
    for await (const event of handle.progress({ signal: AbortSignal.any([signal, watching.signal]) })) {
      if (!watching.signal.aborted) view.show(name, event);
    }
  };
  const watched = watch().catch(() => {});
  try {
    const isOld = handle.resumed === true && (await handle.describe()).status === 'COMPLETED';
    return { name, source, handle, isOld, result: await handle.result({ signal }) };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    return { name, source, handle, error };
  } finally {
    watching.abort();
    await watched;
  }
}

function viewKind({ stderr }: CliContext, { quiet }: UploadCommandOptions): 'bars' | 'lines' | 'quiet' {
  if (quiet) return 'quiet';
  return stderr.isTTY ? 'bars' : 'lines';
}

function labelOf({ file, url = '', filename }: UploadOptions): string {
  return printable(filename ?? ((file ?? sourceOf(url)).split('/').at(-1) as string));
}
