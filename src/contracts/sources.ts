/** Some of a source's bytes, taken as if they were a file of their own. */
export interface ByteRange {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** A file on a disk. */
export interface FileSource {
  readonly type: 'file';
  /** Absolute path, as the worker that reads it sees it. */
  readonly path: string;
  /**
   * The host whose worker can read the path (its `LONGHAUL_HOST`, by default its host name). Left out, any worker
   * may take the file's parts, as with a mount that all of them share.
   */
  readonly host?: string;
  /** @defaultValue the whole file */
  readonly range?: ByteRange;
}

/** An object in a bucket. Endpoint, region and credentials are the worker's, under the connection's name. */
export interface S3Source {
  readonly type: 's3';
  readonly bucket: string;
  readonly key: string;
  /** @defaultValue the newest version */
  readonly versionId?: string;
  /** Name of an S3 connection that the worker has. @defaultValue `default` */
  readonly connection?: string;
  /** @defaultValue the whole object */
  readonly range?: ByteRange;
}

/** What an HTTP server gives out, in ranges. */
export interface HttpSource {
  readonly type: 'http';
  /** `http:` or `https:`, without user, password, query and fragment: all but the path may be secret. */
  readonly url: string;
  /** The URL's query (a presigned URL's signature, say), encrypted for the workers. @defaultValue none */
  readonly sealedQuery?: string;
  /** @defaultValue the whole resource */
  readonly range?: ByteRange;
}

/** Where the bytes of one File come from. A new kind is one more member here and one more file in `src/sources`. */
export type Source = FileSource;

/** A directory on a disk. */
export interface FolderContainer {
  readonly type: 'folder';
  /** Absolute path, as the worker that reads it sees it. */
  readonly path: string;
  /** As in `FileSource`. */
  readonly host?: string;
}

/** The objects of a bucket whose keys begin alike. */
export interface BucketContainer {
  readonly type: 's3';
  readonly bucket: string;
  /** Keys are taken relative to it. @defaultValue '' */
  readonly prefix?: string;
  /** As in `S3Source`. */
  readonly connection?: string;
}

/** What holds many sources. */
export type Container = FolderContainer | BucketContainer;
