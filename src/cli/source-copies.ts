import { access } from 'node:fs/promises';
import { Limits } from '../contracts/limits.ts';
import { filenameOfSource } from '../core/source-names.ts';
import { ConfigError } from '../errors.ts';
import { httpUrlOf, isHttpUrl } from '../sources/source-of-url.ts';
import { Sources } from '../sources/sources.ts';
import type { CliContext } from './context.ts';
import { Interrupted } from './exit.ts';
import { sourceSettingsOf } from './source-settings.ts';
import type { SpoolOptions, SpoolWords } from './spool-copy.ts';
import type { SpoolFolder } from './spool-folder.ts';
import { spoolInput, standardInput } from './spool-input.ts';
import { spoolUrl, urlWords } from './spool-url.ts';
import { isSplit, type UploadCommandOptions } from './upload-options.ts';

/** Copies of what can't be read in parts: standard input and, with `--spool`, what HTTP servers give out. */
export class SourceCopies {
  readonly #context: CliContext;
  readonly #folder: SpoolFolder;
  readonly #options: UploadCommandOptions;
  readonly #made = new Map<string, SpoolWords>();

  constructor(context: CliContext, folder: SpoolFolder, options: UploadCommandOptions) {
    this.#context = context;
    this.#folder = folder;
    this.#options = options;
  }

  /**
   * The files with copies in the places of their sources.
   *
   * @throws ConfigError for a source that gives the copy no name, before anything is read
   * @throws as `spoolInput` and `spoolUrl`
   */
  async replace(files: readonly string[]): Promise<readonly string[]> {
    const copiers = files.map((file) => this.#copierOf(file));
    const paths: string[] = [];
    try {
      for (const [index, copier] of copiers.entries()) paths.push(copier ? await copier() : (files[index] as string));
      return paths;
    } catch (error) {
      await this.tellKept('longhaul: ');
      throw error;
    }
  }

  /** Whether what the command was given is not what it gives to the upload. */
  get areMade(): boolean {
    return this.#made.size > 0;
  }

  /** What a command that ended too early has to say of its copies. */
  async tellKept(beginning: string): Promise<void> {
    for (const [path, { what, argument }] of this.#made) {
      // One of several may have become a File.
      const isKept = await access(path).then(
        () => true,
        () => false,
      );
      const words = `the copy of ${what} is kept for a week: the same command with ${path} instead of ${argument} goes on`;
      if (isKept) this.#context.note(`${beginning}${words}`);
    }
  }

  #copierOf(file: string): (() => Promise<string>) | undefined {
    if (file === '-') return () => this.#copyInput();
    if (!this.#options.spool || !isHttpUrl(file)) return undefined;
    const url = httpUrlOf(file);
    const filename = this.#filenameFor(url);
    return () => this.#copyUrl(url, filename);
  }

  async #copyInput(): Promise<string> {
    if (process.stdin.isTTY) this.#context.note('reading standard input; Ctrl-D ends it');
    const spoolOptions = this.#spoolOptions(this.#options.filename as string);
    return this.#copy(standardInput, () => spoolInput(process.stdin, this.#folder, spoolOptions));
  }

  async #copyUrl(url: URL, filename: string): Promise<string> {
    const sources = new Sources(sourceSettingsOf(this.#context.config));
    try {
      const spoolOptions = { ...this.#spoolOptions(filename), sources };
      return await this.#copy(urlWords(url), () => spoolUrl(url, this.#folder, spoolOptions));
    } finally {
      await sources.close();
    }
  }

  async #copy(words: SpoolWords, make: () => Promise<string>): Promise<string> {
    try {
      const path = await make();
      this.#made.set(path, words);
      return path;
    } catch (error) {
      const isInterrupted = error instanceof Interrupted;
      if (isInterrupted)
        this.#context.note(`longhaul: interrupted while ${words.what} was read; nothing of it is kept`);
      throw error;
    }
  }

  #spoolOptions(filename: string): SpoolOptions {
    const { note, signal } = this.#context;
    return {
      filename,
      maxBytes: isSplit(this.#options) ? Infinity : Limits.maxFileBytes,
      signal,
      tell: this.#options.quiet ? () => {} : note,
    };
  }

  #filenameFor(url: URL): string {
    const filename = this.#options.filename ?? filenameOfSource({ type: 'http', url: urlWords(url).what });
    if (filename !== '') return filename;
    throw new ConfigError(`${urlWords(url).what} ends without a name: give the File one with --filename`);
  }
}
