import { existsSync } from 'node:fs';
import { configuredLimits } from '../../../config/destinations.ts';
import { Defaults } from '../../../contracts/limits.ts';
import { filenameOfSource } from '../../../core/source/names.ts';
import { ConfigError } from '../../../errors.ts';
import { httpUrlOf, isHttpUrl } from '../../../sources/source-of-url.ts';
import { Sources } from '../../../sources/sources.ts';
import type { UploadTarget } from './check-requests.ts';
import type { CliContext } from '../../context.ts';
import { Interrupted } from '../../errors.ts';
import type { PipeArgument } from '../../sources/spool/pipe-arguments.ts';
import { sourceSettingsOf } from '../../sources/source-settings.ts';
import {
  assertSpoolable,
  spoolCopy,
  spoolInput,
  type SpoolOptions,
  type SpoolWords,
} from '../../sources/spool/copy.ts';
import type { SpoolFolder } from '../../sources/spool/folder.ts';
import { isSplit, type UploadCommandOptions } from './options.ts';

interface Copier {
  readonly words: SpoolWords;
  /** The File's name. */
  readonly filename: string;
  readonly copy: (options: SpoolOptions) => Promise<string>;
  readonly isPipe: boolean;
}

export type SourceCopies = ReturnType<typeof sourceCopies>;

/**
 * Copies of sources that cannot be read in parts: pipes, and URLs with `--spool`. Does not read a source yet.
 *
 * @param pipes the files that are pipes
 * @throws ConfigError if a copy has no name
 */
export function sourceCopies(
  context: CliContext,
  folder: SpoolFolder,
  options: UploadCommandOptions,
  files: readonly string[],
  pipes: ReadonlyMap<string, PipeArgument>,
) {
  const { config, note } = context;
  const copiers = files.map((file) => {
    const pipe = pipes.get(file);
    if (pipe) return pipeCopier(pipe, context, folder, options);
    return options.spool && isHttpUrl(file) ? urlCopier(httpUrlOf(file), context, folder, options) : undefined;
  });
  const needed = copiers.filter((copier) => copier !== undefined);
  const [first] = needed;
  const made = new Map<string, SpoolWords>();
  let isInterruptionPrinted = false;

  async function create({ words, filename, copy }: Copier, signal: AbortSignal): Promise<string> {
    const { destination = Defaults.destination, purpose } = options;
    const { maxFileBytes = Infinity } = configuredLimits(config, destination, purpose) ?? {};
    try {
      const path = await copy({
        filename,
        maxBytes: isSplit(options) ? Infinity : maxFileBytes,
        signal,
        print: options.quiet ? () => {} : note,
      });
      made.set(path, words);
      return path;
    } catch (error) {
      if (error instanceof Interrupted) {
        note(`longhaul: interrupted while ${words.what} was read. No copy is kept.`);
        isInterruptionPrinted = true;
      }
      throw error;
    }
  }

  return {
    areNeeded: needed.length > 0,
    /** The files, with the names of the copies to create. */
    targets: files.map((path, index): UploadTarget => {
      const copier = copiers[index];
      return { path, coming: copier && { filename: copier.filename, what: copier.words.what } };
    }),

    /** @throws as `assertSpoolable` */
    async assertPossible(): Promise<void> {
      if (first) await assertSpoolable(folder, first.words.what);
    },

    /**
     * Creates the copies, and returns the paths of the files, with copies in place of their sources. Reads all pipes at the
     * same time, because one program can write to several. The first error aborts the others.
     *
     * @throws as `spoolCopy` and `Sources.download`
     */
    async make(): Promise<readonly string[]> {
      const stop = new AbortController();
      const signal = AbortSignal.any([context.signal, stop.signal]);
      let downloads: Promise<unknown> = Promise.resolve();
      const paths = copiers.map(async (copier, index) => {
        if (!copier) return files[index] as string;
        const copying = copier.isPipe ? create(copier, signal) : downloads.then(() => create(copier, signal));
        if (!copier.isPipe) downloads = copying;
        return copying.catch((error: unknown) => {
          stop.abort(error);
          throw error;
        });
      });
      await Promise.allSettled(paths);
      return Promise.all(paths);
    },

    /** Prints the copies that remain after the command failed or was interrupted. */
    async printRemaining(error: unknown): Promise<void> {
      const isInterrupted = error instanceof Interrupted && !isInterruptionPrinted;
      for (const [path, { what, argument }] of made) {
        // With several files, some can already be uploaded.
        if (!existsSync(path)) continue;
        const line = `copy of ${what} is kept for one week. To resume, run the same command with ${path} instead of ${argument}.`;
        note(`longhaul: ${isInterrupted ? 'interrupted. The' : 'the'} ${line}`);
      }
      if (isInterrupted && first && made.size === 0) {
        note(`longhaul: interrupted before ${first.words.what} was read.`);
      }
    },
  };
}

function pipeCopier(
  { words, open, ...pipe }: PipeArgument,
  context: CliContext,
  folder: SpoolFolder,
  { filename }: UploadCommandOptions,
): Copier {
  const copy = async (options: SpoolOptions) => {
    const input = await open(context);
    const isTerminal = 'isTTY' in input && input.isTTY === true;
    if (isTerminal) context.note('reading standard input. Press Ctrl-D to end it.');
    const onSilence = () => {
      if (!isTerminal) context.note(`waiting for a program that writes to ${words.what}. Press Ctrl-C to stop.`);
    };
    return spoolInput(input, folder, words, options, onSilence);
  };
  // For a pipe without a name, the option is required.
  return { words, filename: filename ?? (pipe.filename as string), copy, isPipe: true };
}

function urlCopier(url: URL, { config }: CliContext, folder: SpoolFolder, options: UploadCommandOptions): Copier {
  // Without the query, which can be secret.
  const words = { what: `${url.origin}${url.pathname}`, argument: 'the URL' };
  const filename = options.filename ?? filenameOfSource({ type: 'http', url: words.what });
  if (filename === '')
    throw new ConfigError(`${words.what} has no file name. Set the name of the File with --filename.`);
  const copy = (settings: SpoolOptions) =>
    Sources.with(sourceSettingsOf(config), (sources) =>
      spoolCopy(folder, words, settings, (sink) => sources.download(url, sink, settings)),
    );
  return { words, filename, copy, isPipe: false };
}
