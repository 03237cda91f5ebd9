import { realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import type { Container, FileSource, HttpSource, Source } from '../contracts/sources.ts';
import { ConfigError, SourceForbiddenError } from '../errors.ts';
import { AddressPolicy } from './address-policy.ts';
import { openFileSource } from './file-source.ts';
import { HttpSources } from './http-source.ts';
import { listFolder } from './list-folder.ts';
import type { Listing, ListOptions } from './listing.ts';
import { mapFileError } from './map-file-error.ts';
import { rangedReader, spanInWhole } from './ranged-reader.ts';
import type { S3Objects } from './s3-objects.ts';
import { openSealedQuery } from './sealed-query.ts';
import type { OpenOptions, SourceReader } from './source-reader.ts';
import { sealKeyOf, SourceDefaults, type SourceSettings } from './source-settings.ts';

type Listers = {
  readonly [Type in Container['type']]: (
    container: Extract<Container, { type: Type }>,
    options: ListOptions,
  ) => Promise<Listing>;
};

type Openers = {
  readonly [Type in Source['type']]: (
    source: Extract<Source, { type: Type }>,
    options: OpenOptions,
  ) => SourceReader | Promise<SourceReader>;
};

/** Opens sources of every kind, as far as the settings let callers name them. */
export class Sources {
  readonly #settings: SourceSettings;
  #s3: Promise<S3Objects> | undefined;
  readonly #http: HttpSources;

  /** @param policy for tests */
  constructor(settings: SourceSettings = {}, policy = new AddressPolicy(settings.http)) {
    this.#settings = settings;
    this.#http = new HttpSources(policy, settings.http?.stallTimeoutMs ?? SourceDefaults.stallTimeoutMs);
  }

  /** One line for each kind of source. */
  readonly #openers: Openers = {
    file: (source) => this.#openFile(source),
    s3: (source, options) => this.#loadS3().then((s3) => s3.open(source, options)),
    http: (source, options) => this.#openHttp(source, options),
  };

  /**
   * Opens a source for reading; the caller closes it.
   *
   * @throws SourceForbiddenError when the settings don't let callers name it; nothing was asked for then
   * @throws SourceMissingError when it is missing or not readable
   * @throws SourceUnusableError when it is empty or no such thing as its type says
   * @throws SourceNotRangedError when it can only be read as a whole
   * @throws SourceReadError when the storage is in trouble
   * @throws ConfigError when the settings lack what it takes to read it
   */
  async open(source: Source, options: OpenOptions = {}): Promise<SourceReader> {
    const { range } = source;
    const opener = this.#openers[source.type] as (source: Source, options: OpenOptions) => Promise<SourceReader>;
    if (range === undefined) return opener(source, options);
    return rangedReader(await opener(source, { ...options, span: spanInWhole(options.span, range) }), range);
  }

  /** One line for each kind of container. */
  readonly #listers: Listers = {
    folder: async (container, options) => {
      await this.#assertWithinRoots(container.path);
      return listFolder(container, options);
    },
    s3: (container, options) => this.#loadS3().then((s3) => s3.list(container, options)),
  };

  /**
   * What a container holds.
   *
   * @throws SourceForbiddenError when the settings don't let callers name it
   * @throws SourceMissingError when it is missing or not readable
   * @throws SourceUnusableError when it is no container
   * @throws SourceReadError when the storage is in trouble
   */
  list(container: Container, options: ListOptions): Promise<Listing> {
    const lister = this.#listers[container.type] as (container: Container, options: ListOptions) => Promise<Listing>;
    return lister(container, options);
  }

  /** Breaks what is under way. */
  async close(): Promise<void> {
    (await this.#s3)?.close();
    await this.#http.close();
  }

  /** AWS's client takes a third of a second to load, and memory, which most processes never need. */
  #loadS3(): Promise<S3Objects> {
    this.#s3 ??= import('./s3-objects.ts').then(({ S3Objects }) => new S3Objects(this.#settings.s3));
    return this.#s3;
  }

  async #openFile(source: FileSource): Promise<SourceReader> {
    await this.#assertWithinRoots(source.path);
    return openFileSource(source);
  }

  /** The real path counts: neither `..` nor a link leads out of the roots. */
  async #assertWithinRoots(path: string): Promise<void> {
    const { roots } = this.#settings.files ?? {};
    if (!roots) return;
    const real = await mapFileError(path, realpath(path));
    const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => root)));
    if (realRoots.some((root) => isWithin(root, real))) return;
    throw new SourceForbiddenError(`${path} lies outside the directories that may be read from: ${roots.join(', ')}`);
  }

  #openHttp(source: HttpSource, options: OpenOptions): SourceReader {
    const { sealedQuery } = source;
    if (sealedQuery === undefined) return this.#http.open(source, undefined, options);
    const key = sealKeyOf(this.#settings)?.();
    if (key === undefined)
      throw new ConfigError(`the query of ${source.url} is sealed: set LONGHAUL_SEAL_KEY to open it`);
    return this.#http.open(source, openSealedQuery(sealedQuery, source.url, key), options);
  }
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
}
