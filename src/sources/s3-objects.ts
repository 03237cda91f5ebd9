import type { BucketContainer, S3Source } from '../contracts/sources.ts';
import { listBucket } from './list-bucket.ts';
import type { Listing, ListOptions } from './listing.ts';
import { S3Connections } from './s3-connections.ts';
import { openS3Source } from './s3-source.ts';
import type { OpenOptions, SourceReader } from './source-reader.ts';
import type { S3Settings } from './source-settings.ts';

/** All that has to do with S3, in a module of its own that is loaded when it is needed. */
export class S3Objects {
  readonly #connections: S3Connections;

  constructor(settings: Readonly<Record<string, S3Settings>> | undefined) {
    this.#connections = new S3Connections(settings);
  }

  /** @throws as `openS3Source` */
  open(source: S3Source, options: OpenOptions): SourceReader {
    return openS3Source(source, this.#connections, options);
  }

  /** @throws as `listBucket` */
  list(container: BucketContainer, options: ListOptions): Promise<Listing> {
    return listBucket(container, this.#connections, options);
  }

  close(): void {
    this.#connections.close();
  }
}
