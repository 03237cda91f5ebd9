/** The names in a source or a container, as its schema has checked their types. */
type NamesOfSource =
  | { readonly type: 'file'; readonly path: string; readonly host?: string | undefined }
  | { readonly type: 'http'; readonly url: string; readonly sealedQuery?: string | undefined }
  | (BucketNames & { readonly key: string; readonly versionId?: string | undefined });
type NamesOfContainer =
  | { readonly type: 'folder'; readonly path: string; readonly host?: string | undefined }
  | (BucketNames & { readonly prefix?: string | undefined });

interface BucketNames {
  readonly type: 's3';
  readonly bucket: string;
  readonly connection?: string | undefined;
}

/** The problem of a source's names, as the rest of a sentence; undefined if they can be used. */
export function sourceNameProblem(source: NamesOfSource): string | undefined {
  if (source.type === 'file') return pathProblem(source.path) ?? controlProblem({ host: source.host });
  if (source.type === 'http') return controlProblem({ url: source.url, sealedQuery: source.sealedQuery });
  const { bucket, key, versionId, connection } = source;
  return bucketProblem(bucket) ?? keyProblem('key', key) ?? controlProblem({ versionId, connection });
}

/** The same of a folder or a bucket. */
export function containerNameProblem(container: NamesOfContainer): string | undefined {
  if (container.type === 'folder') return pathProblem(container.path) ?? controlProblem({ host: container.host });
  const { bucket, prefix, connection } = container;
  if (prefix !== undefined && typeof prefix !== 'string') return 'requires a text as "prefix"';
  return bucketProblem(bucket) ?? keyProblem('prefix', prefix ?? '') ?? controlProblem({ connection });
}

/** The problem of an S3 key in a list, as the rest of a sentence. */
export function keyProblem(name: string, key: string): string | undefined {
  if (key.includes('\0')) return `has a NUL byte in "${name}"; remove it`;
  // HTTP clients, proxies and stores resolve them, each in its own way, so that another object may be meant.
  if (key.split('/').some((segment) => segment === '.' || segment === '..')) {
    return `has a "." or ".." segment in "${name}", which stores resolve in different ways; rename the object`;
  }
  return undefined;
}

function pathProblem(path: string): string | undefined {
  return path.includes('\0') ? 'has a NUL byte in "path"; remove it' : undefined;
}

/** Names of buckets, old ones too. Anything else could lead elsewhere than the lists of permitted names mean. */
function bucketProblem(bucket: string): string | undefined {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket) && !bucket.includes('..')) return undefined;
  return `has the invalid bucket ${JSON.stringify(bucket.slice(0, 100))}. Use 2 to 255 letters, digits, single dots, dashes and underscores`;
}

/** Names in which a control character is never valid. */
function controlProblem(names: Readonly<Record<string, string | undefined>>): string | undefined {
  const [found] = Object.entries(names).find(([, value]) => /\p{Cc}/u.test(value ?? '')) ?? [];
  return found && `has a control character in "${found}"; remove it`;
}
