import { autoSize, withAutoSize } from '../../../client/prepare/auto-size.ts';
import type { PreparedSplit } from '../../../client/prepare/prepare-upload.ts';
import { configuredLimits } from '../../../config/destinations.ts';
import { openAiLimits } from '../../../contracts/limits.ts';
import { formatBytes, optionBytes } from '../../../core/text/format.ts';
import type { Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import type { UploadJob } from './check-requests.ts';

/** Sets the piece size of jobs with `--split auto`, and prints it. */
export async function withAutoSizes(
  { config, note }: Pick<CliContext, 'config' | 'note'>,
  { client: { temporal, taskQueue } }: Backend,
  jobs: readonly UploadJob[],
  { destination, purpose, quiet }: { destination: string; purpose: string; quiet?: boolean | undefined },
): Promise<UploadJob[]> {
  const limits = configuredLimits(config, destination, purpose) ?? openAiLimits;
  const size = await autoSize(temporal, taskQueue, destination, limits);
  if (!quiet) {
    const rate = size.bytesPerSecond === undefined ? 'unknown' : `${formatBytes(size.bytesPerSecond)}/s`;
    const words =
      size.pieceSizeBytes === undefined ? 'the maximum size' : `at most ${optionBytes(size.pieceSizeBytes)}`;
    note(`--split auto: Files of ${words}. The rate of the last uploads to "${destination}" is ${rate}.`);
  }
  const sized: UploadJob[] = [];
  for (const job of jobs) {
    const prepared = await withAutoSize(temporal, job.prepared as PreparedSplit, size);
    const options = { ...job.options, pieceSizeBytes: prepared.request.pieceSizeBytes };
    sized.push({ ...job, options, prepared });
  }
  return sized;
}
