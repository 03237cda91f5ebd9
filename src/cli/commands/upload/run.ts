import { JobIdTakenError } from '../../../client/errors.ts';
import { configuredLimits } from '../../../config/destinations.ts';
import { Defaults } from '../../../contracts/limits.ts';
import { formatBytes, formatCount } from '../../../core/text/format.ts';
import { printable } from '../../../core/text/printable.ts';
import { nameProblem, ofSelectedFile } from '../../../core/upload/file-limits.ts';
import { namedBy } from '../../../sources/named-sources.ts';
import { Sources } from '../../../sources/sources.ts';
import type { Backend } from '../../backend.ts';
import { checkRequests, type UploadTarget, type UploadJob } from './check-requests.ts';
import { establishHost } from '../../checks/establish-host.ts';
import type { CliContext } from '../../context.ts';
import { FilesFailedError, Interrupted } from '../../errors.ts';
import { INTERRUPTED, runJobs } from '../../job/run-jobs.ts';
import { SpoolFolder } from '../../sources/spool/folder.ts';
import { findPipes } from '../../sources/spool/pipe-arguments.ts';
import { sourceCopies, type SourceCopies } from './source-copies.ts';
import { sourceSettingsOf } from '../../sources/source-settings.ts';
import { expandFiles } from './expand-files.ts';
import { checkReceipt, receiptOf, writeReceipt } from './receipt.ts';
import { checkUploadOptions, type UploadCommandOptions } from './options.ts';
import { outcomeJson, printOutcomes, sourceOf } from './outcomes.ts';
import { isOpen } from '../../../temporal/workflow-status.ts';

export async function uploadCommand(
  context: CliContext,
  names: readonly string[],
  options: UploadCommandOptions,
): Promise<void> {
  await establishHost(context);
  const { config, note } = context;
  const destination = options.destination ?? Defaults.destination;
  const { purpose, filename } = options;
  const limits = configuredLimits(config, destination, purpose);
  const problemOf = (found: string) => limits && nameProblem(limits, { filename: found, purpose }, ofSelectedFile);
  const { files, skipped } = await Sources.with(sourceSettingsOf(config), (sources) =>
    expandFiles(names, {
      sources,
      connection: options.connection,
      nameProblem: filename === undefined ? problemOf : undefined,
    }),
  );
  for (const { path, message } of skipped) note(`longhaul: skipped ${path}: ${message}`);
  const printSkipped = () => {
    for (const { path, failureType: code, message } of skipped) {
      if (options.json) context.json({ source: path, error: { code, message } });
    }
  };
  const tellSkipped = () => {
    const were = skipped.length === 1 ? 'was' : 'were';
    if (skipped.length > 0) throw new FilesFailedError(`${formatCount(skipped.length, 'file')} ${were} skipped`);
  };
  if (files.length === 0) {
    printSkipped();
    return tellSkipped();
  }
  const pipes = await findPipes(files, sourceSettingsOf(config).files ?? {});
  checkUploadOptions(config, files, pipes, options);
  await checkReceipt(options, files);
  if (options.limit !== undefined && files.length > 1 && !options.quiet) {
    const rate = `${formatBytes(options.limit)}/s`;
    note(
      `--limit ${rate} is the rate of each of the ${files.length} uploads. To limit their sum, set LONGHAUL_LIMIT for the worker.`,
    );
  }
  const spools = new SpoolFolder(config.stateDir);
  const copies = sourceCopies(context, spools, options, files, pipes);
  try {
    await uploadFiles(context, spools, copies, files.map(sourceOf), printSkipped, options, destination);
  } catch (error) {
    await copies.printRemaining(error);
    if (!copies.areNeeded && error instanceof Interrupted) note(INTERRUPTED);
    throw error;
  }
  tellSkipped();
}

/** @param sources the arguments, as in `UploadJob` @param onStarted called when each upload has started */
async function uploadFiles(
  context: CliContext,
  spools: SpoolFolder,
  copies: SourceCopies,
  sources: readonly string[],
  onStarted: () => void,
  options: UploadCommandOptions,
  destination: string,
): Promise<void> {
  const check = async (targets: readonly UploadTarget[]): Promise<UploadJob[]> =>
    (await checkRequests(context, spools, targets, options)).map((request, index) => {
      const source = sources[index] as string;
      const { file, url = '', filename } = request.options;
      const name = printable(filename ?? ((file ?? sourceOf(url)).split('/').at(-1) as string));
      return { ...request, source, name };
    });
  const planned = await check(copies.targets);
  await copies.assertPossible();
  let paths: readonly string[] = [];

  await runJobs<UploadJob>(
    context,
    { ...options, destination, transferSlots: options.concurrency },
    {
      jobs: planned,
      ready: async (run) => {
        if (copies.areNeeded && options.id !== undefined) {
          // A copy that does not exist yet cannot be the source of an upload that already has the ID.
          const status = await statusOf(run.backend, options.id);
          const isUsed = status !== undefined && (isOpen(status) || (status === 'COMPLETED' && !options.again));
          if (isUsed) throw new JobIdTakenError(options.id, 'upload');
        }
        // Sources that can be read only once are read after all checks.
        paths = await copies.make();
        const checked = copies.areNeeded ? await check(paths.map((path) => ({ path }))) : planned;
        const { purpose, quiet } = options;
        let jobs = checked;
        if (options.split === 'auto') {
          const { withAutoSizes } = await import('./auto-split.ts');
          jobs = await withAutoSizes(context, run.backend, checked, { destination, purpose, quiet });
        }
        const read = jobs.map(({ prepared }) => prepared.request.source);
        // Other workers on this machine permit the copies of commands, and otherwise only the sources in their lists.
        await run.name(namedBy(run.hasWorker ? read : read.filter((source) => spools.has(source))), jobs);
        return jobs;
      },
      onStarted: async ({ backend }, jobs) => {
        for (const { options: request, handle } of jobs) {
          if (request.file !== undefined) await spools.use(request.file, handle.workflowId);
        }
        await spools.sweep((workflowId) => statusOf(backend, workflowId)).catch(() => {});
        onStarted();
      },
      noteAttached: async ({ backend }, jobs) =>
        (await import('./attached.ts')).noteAttached(context, backend, jobs, options),
      printJson: (outcome) => context.json(outcomeJson(outcome)),
      print: async (_, outcomes) => {
        const [first] = outcomes;
        // Before the copy of a pipe is released.
        const receipt =
          first?.result && options.receipt !== undefined ? await receiptOf(context, first, options) : undefined;
        for (const [index, { result }] of outcomes.entries()) if (result) await spools.release(paths[index] as string);
        printOutcomes(context, outcomes, options);
        if (receipt) await writeReceipt(options.receipt as string, receipt.receipt);
        if (receipt?.problem) throw receipt.problem;
      },
    },
  );
}

async function statusOf({ client }: Pick<Backend, 'client'>, workflowId: string): Promise<string | undefined> {
  return client
    .getHandle(workflowId)
    .describe()
    .then(({ status }) => status)
    .catch(() => undefined);
}
