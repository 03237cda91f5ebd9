import type {
  BucketContainer,
  Container,
  HttpSource,
  ManifestPlace,
  S3Manifest,
  S3Source,
  Source,
} from '../contracts/sources.ts';
import { containerNameProblem, sourceNameProblem } from '../core/source/name-problems.ts';
import { nameOfContainer, nameOfSource } from '../core/source/names.ts';
import { printable } from '../core/text/printable.ts';
import { ConfigError, ManifestError, SourceForbiddenError, SourceUnusableError } from '../errors.ts';
import { AddressPolicy } from './http/address-policy.ts';
import { checkFolder, deviceOf } from './file/check-folder.ts';
import { openFileSource } from './file/source.ts';
import { HttpConnections } from './http/connections.ts';
import { downloadHttp, type DownloadOptions, type DownloadSink } from './http/download.ts';
import { HttpResource } from './http/resource.ts';
import { openHttpSource } from './http/source.ts';
import { listFolder } from './file/list-folder.ts';
import { openFileManifest } from './manifest/file-store.ts';
import type { ManifestStore } from './manifest/store.ts';
import type { Listing, ListOptions } from './listing/listing.ts';
import { rangedReader, spanInWhole, type OpenOptions, type SourceReader } from './source-reader.ts';
import type { S3Bucket, S3Connections } from './s3/connections.ts';
import { openSealedQuery } from './http/sealed-query.ts';
import { openingKeysOf, type FileSettings, type SourceSettings } from './source-settings.ts';

/** The workflow for which a sealed query is opened. */
export interface SealingWorkflow {
  readonly workflowId: string;
  /** Returns the ID of the workflow that started it; undefined if no workflow did. */
  readonly parentId: () => Promise<string | undefined>;
}

/** Opens sources of every kind, if the settings permit them. */
export class Sources {
  readonly #settings: SourceSettings;
  #s3: S3Connections | undefined;
  readonly #http: HttpConnections;
  readonly #workflow: (() => SealingWorkflow) | undefined;
  /** File systems of listed folders. */
  readonly #devices = new Map<string, bigint>();

  /**
   * @param policy for tests
   * @param workflow the requesting workflow; omitted if no sealed query is opened
   */
  constructor(
    settings: SourceSettings = {},
    policy = new AddressPolicy(settings.http, settings),
    workflow?: () => SealingWorkflow,
  ) {
    this.#settings = settings;
    this.#workflow = workflow;
    this.#http = new HttpConnections(policy, settings.http, settings.proxies);
  }

  /** Passes sources to `use`, and closes them afterwards. */
  static async with<T>(settings: SourceSettings, use: (sources: Sources) => Promise<T>): Promise<T> {
    const sources = new Sources(settings);
    try {
      return await use(sources);
    } finally {
      await sources.close();
    }
  }

  /** For callers that read a file directly. */
  get files(): FileSettings {
    const { files, named, isOfCommand } = this.#settings;
    return { ...files, named, isOfCommand };
  }

  /**
   * Opens a source for reading; the caller closes it.
   *
   * @throws SourceForbiddenError if the settings do not permit it. No request was sent
   * @throws SourceNotNamedError the same for the worker of a command
   * @throws SourceMissingError if it is missing or not readable
   * @throws SourceUnusableError if its name is invalid, it is empty or does not have the specified type
   * @throws SourceNotRangedError if it can only be read as a whole
   * @throws SourceReadError if the storage has an error
   * @throws ConfigError if a required setting is missing
   */
  async open(source: Source, options: OpenOptions = {}): Promise<SourceReader> {
    const problem = sourceNameProblem(source);
    if (problem !== undefined) throw new SourceUnusableError(`${printable(nameOfSource(source))} ${problem}`);
    const { range } = source;
    return rangedReader(await this.#open(source, { ...options, span: spanInWhole(options.span, range) }), range);
  }

  async #open(source: Source, options: OpenOptions): Promise<SourceReader> {
    if (source.type === 'file') return openFileSource(source, this.files);
    if (source.type === 'http') return this.#openHttp(source, options);
    const { openS3Source } = await import('./s3/source.ts');
    return openS3Source(source, await this.#bucket(source), options);
  }

  /** Opens a source for the duration of `use`. @throws as `open` */
  async read<T>(source: Source, options: OpenOptions, use: (reader: SourceReader) => Promise<T>): Promise<T> {
    const reader = await this.open(source, options);
    try {
      return await use(reader);
    } finally {
      await reader.close();
    }
  }

  /**
   * Downloads the content of an http: or https: URL in order, for servers that do not support ranges.
   *
   * @throws as `downloadHttp`
   */
  async download(url: URL, sink: DownloadSink, options: DownloadOptions): Promise<void> {
    await downloadHttp(new HttpResource(url, this.#http, { signal: options.signal, isNamed: false }), sink, options);
  }

  /**
   * Lists the content of a container.
   *
   * @throws SourceForbiddenError if the settings do not permit it
   * @throws SourceMissingError if it is missing or not readable
   * @throws SourceUnusableError if it is not a container
   * @throws SourceReadError if the storage has an error
   */
  async list(container: Container, options: ListOptions): Promise<Listing> {
    assertName(container);
    if (container.type === 's3') {
      const { listBucket } = await import('./s3/list-bucket.ts');
      return listBucket(container, await this.#bucket(container), options);
    }
    const listing = await listFolder(container, options, this.files);
    const device = await deviceOf(container.path);
    if (device !== undefined) this.#devices.set(container.path, device);
    return listing;
  }

  /**
   * Checks that a container can be read, independently of its files.
   *
   * @throws as `list`
   */
  async check(container: Container, { signal }: Pick<ListOptions, 'signal'>): Promise<void> {
    assertName(container);
    if (container.type === 'folder') return checkFolder(container, this.files, this.#devices.get(container.path));
    const { checkBucket } = await import('./s3/list-bucket.ts');
    await checkBucket(container, await this.#bucket(container), signal);
  }

  /**
   * Opens the manifest of a sync. It must be permitted like a source.
   *
   * @throws SourceForbiddenError, SourceNotNamedError if the settings do not permit it
   * @throws ManifestError if its name is invalid
   * @throws ConfigError if a required setting is missing
   */
  async manifest(place: ManifestPlace): Promise<ManifestStore> {
    const problem = sourceNameProblem(place);
    if (problem !== undefined) throw new ManifestError(`the manifest ${printable(nameOfSource(place))} ${problem}`);
    if (place.type === 'file') return openFileManifest(place, this.files);
    const { openS3Manifest } = await import('./manifest/s3-store.ts');
    return openS3Manifest(place, await this.#bucket(place));
  }

  /** Aborts running reads. */
  async close(): Promise<void> {
    this.#s3?.close();
    await this.#http.close();
  }

  /** AWS's SDK needs 23 MiB and 0.2 s. It is loaded only if it is used. */
  async #bucket(place: S3Source | BucketContainer | S3Manifest): Promise<S3Bucket> {
    const isNamed = await this.#isNamed(place);
    const { S3Connections } = await import('./s3/connections.ts');
    this.#s3 ??= new S3Connections(this.#settings.s3, this.#settings, this.#settings.proxies);
    return this.#s3.bucket(place, isNamed);
  }

  async #isNamed(source: Source | Container): Promise<boolean> {
    const { named } = this.#settings;
    if (!named || named.copiesOnly) return false;
    const { namesSource, readNamedSources } = await import('./named-sources.ts');
    return namesSource(await readNamedSources(named.directory), source);
  }

  async #openHttp(source: HttpSource, open: OpenOptions): Promise<SourceReader> {
    const { sealedQuery } = source;
    const options = { ...open, isNamed: await this.#isNamed(source) };
    const query = sealedQuery === undefined ? options.query : await this.#openQuery(source.url, sealedQuery);
    return openHttpSource(source, query, this.#http, options);
  }

  async #openQuery(url: string, sealedQuery: string): Promise<string> {
    const secrets = openingKeysOf(this.#settings);
    const workflow = this.#workflow?.();
    if (secrets.length === 0 || !workflow) {
      throw new ConfigError(
        `cannot open the sealed query of ${url}: no seal key is set. Set LONGHAUL_SEAL_KEY for the worker.`,
      );
    }
    try {
      return openSealedQuery(sealedQuery, { url, workflowId: workflow.workflowId }, secrets);
    } catch (error) {
      const parentId = error instanceof SourceForbiddenError ? await workflow.parentId() : undefined;
      if (parentId === undefined) throw error;
      return openSealedQuery(sealedQuery, { url, workflowId: parentId }, secrets);
    }
  }
}

/** @throws SourceUnusableError */
function assertName(container: Container): void {
  const problem = containerNameProblem(container);
  if (problem !== undefined) throw new SourceUnusableError(`${printable(nameOfContainer(container))} ${problem}`);
}
