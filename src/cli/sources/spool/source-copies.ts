import { access } from 'node:fs/promises';
import { configuredLimits } from '../../../config/destinations.ts';
import { Defaults } from '../../../contracts/limits.ts';
import { filenameOfSource } from '../../../core/source/names.ts';
import { ConfigError } from '../../../errors.ts';
import { httpUrlOf, isHttpUrl } from '../../../sources/source-of-url.ts';
import { Sources } from '../../../sources/sources.ts';
import type { UploadTarget } from '../../checks/check-requests.ts';
import type { CliContext } from '../../context.ts';
import { Interrupted } from '../../errors.ts';
import type { PipeArgument } from './pipe-arguments.ts';
import { sourceSettingsOf } from '../source-settings.ts';
import { assertSpoolable, type SpoolOptions, type SpoolWords, spoolInput, spoolUrl, urlWords } from './copy.ts';
import type { SpoolFolder } from './folder.ts';
import { isSplit, type UploadCommandOptions } from '../../commands/upload/options.ts';

/** A copy to create. */
interface Copier {
  readonly words: SpoolWords;
  /** The File's name. */
  readonly filename: string;
  readonly copy: (options: SpoolOptions) => Promise<string>;
  readonly isPipe: boolean;
}

/** Copies of sources that cannot be read in parts: pipes, and URLs with `--spool`. */
export class SourceCopies {
  readonly #context: CliContext;
  readonly #folder: SpoolFolder;
  readonly #options: UploadCommandOptions;
  readonly #files: readonly string[];
  readonly #pipes: ReadonlyMap<string, PipeArgument>;
  readonly #copiers: readonly (Copier | undefined)[];
  readonly #made = new Map<string, SpoolWords>();
  #isInterruptionPrinted = false;

  /**
   * Does not read a source yet.
   *
   * @param pipes the files that are pipes
   * @throws ConfigError if a copy has no name
   */
  constructor(
    context: CliContext,
    folder: SpoolFolder,
    options: UploadCommandOptions,
    files: readonly string[],
    pipes: ReadonlyMap<string, PipeArgument>,
  ) {
    this.#context = context;
    this.#folder = folder;
    this.#options = options;
    this.#files = files;
    this.#pipes = pipes;
    this.#copiers = files.map((file) => this.#copierOf(file));
  }

  get areNeeded(): boolean {
    return this.#needed.length > 0;
  }

  /** The files, with the names of the copies to create. */
  get targets(): UploadTarget[] {
    return this.#files.map((path, index) => {
      const copier = this.#copiers[index];
      return { path, coming: copier && { filename: copier.filename, what: copier.words.what } };
    });
  }

  /** @throws as `assertSpoolable` */
  async assertPossible(): Promise<void> {
    const [first] = this.#needed;
    if (first) await assertSpoolable(this.#folder, first.words);
  }

  /**
   * Creates the copies, and returns the paths of the files, with copies in place of their sources. Reads all pipes at the
   * same time, because one program can write to several. The first error aborts the others.
   *
   * @throws as `spoolInput` and `spoolUrl`
   */
  async make(): Promise<readonly string[]> {
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#context.signal, stop.signal]);
    let downloads: Promise<unknown> = Promise.resolve();
    const paths = this.#copiers.map(async (copier, index) => {
      if (!copier) return this.#files[index] as string;
      const copying = copier.isPipe ? this.#copy(copier, signal) : downloads.then(() => this.#copy(copier, signal));
      if (!copier.isPipe) downloads = copying;
      return copying.catch((error: unknown) => {
        stop.abort(error);
        throw error;
      });
    });
    await Promise.allSettled(paths);
    return Promise.all(paths);
  }

  /**
   * Prints the copies that remain after the command failed or was interrupted.
   *
   * @returns whether the command has copies, so that running it again does not continue its uploads
   */
  async printRemaining(error: unknown): Promise<boolean> {
    const { note } = this.#context;
    const isInterrupted = error instanceof Interrupted && !this.#isInterruptionPrinted;
    for (const [path, { what, argument }] of this.#made) {
      // With several files, some can already be uploaded.
      const isKept = await access(path).then(
        () => true,
        () => false,
      );
      const line = `copy of ${what} is kept for one week. To resume, run the same command with ${path} instead of ${argument}.`;
      if (isKept) note(`longhaul: ${isInterrupted ? 'interrupted. The' : 'the'} ${line}`);
    }
    const [first] = this.#needed;
    if (isInterrupted && first && this.#made.size === 0) {
      note(`longhaul: interrupted before ${first.words.what} was read.`);
    }
    return this.areNeeded;
  }

  get #needed(): Copier[] {
    return this.#copiers.filter((copier) => copier !== undefined);
  }

  #copierOf(file: string): Copier | undefined {
    const pipe = this.#pipes.get(file);
    if (pipe) return this.#pipeCopier(pipe);
    return this.#options.spool && isHttpUrl(file) ? this.#urlCopier(httpUrlOf(file)) : undefined;
  }

  #pipeCopier({ words, open, ...pipe }: PipeArgument): Copier {
    const { note } = this.#context;
    const copy = async (options: SpoolOptions) => {
      const input = await open(this.#context);
      const isTerminal = 'isTTY' in input && input.isTTY === true;
      if (isTerminal) note('reading standard input. Press Ctrl-D to end it.');
      const onSilence = () => {
        if (!isTerminal) note(`waiting for a program that writes to ${words.what}. Press Ctrl-C to stop.`);
      };
      return spoolInput(input, this.#folder, { ...options, words, onSilence });
    };
    // For a pipe without a name, the option is required.
    return { words, filename: this.#options.filename ?? (pipe.filename as string), copy, isPipe: true };
  }

  #urlCopier(url: URL): Copier {
    const words = urlWords(url);
    const filename = this.#options.filename ?? filenameOfSource({ type: 'http', url: words.what });
    if (filename === '')
      throw new ConfigError(`${words.what} has no file name. Set the name of the File with --filename.`);
    const copy = (options: SpoolOptions) =>
      Sources.with(sourceSettingsOf(this.#context.config), (sources) =>
        spoolUrl(url, this.#folder, { ...options, sources }),
      );
    return { words, filename, copy, isPipe: false };
  }

  #maxFileBytes(): number {
    const { destination = Defaults.destination, purpose } = this.#options;
    return configuredLimits(this.#context.config, destination, purpose)?.maxFileBytes ?? Infinity;
  }

  async #copy({ words, filename, copy }: Copier, signal: AbortSignal): Promise<string> {
    const { note } = this.#context;
    try {
      const path = await copy({
        filename,
        maxBytes: isSplit(this.#options) ? Infinity : this.#maxFileBytes(),
        signal,
        print: this.#options.quiet ? () => {} : note,
      });
      this.#made.set(path, words);
      return path;
    } catch (error) {
      if (error instanceof Interrupted) {
        note(`longhaul: interrupted while ${words.what} was read. No copy is kept.`);
        this.#isInterruptionPrinted = true;
      }
      throw error;
    }
  }
}
