/** An error in two sentences: what happened, and what to do. */
export interface Explanation {
  /** Without a period at the end. */
  readonly problem: string;
  readonly fix: string;
}

/** gRPC's statuses in the order of their numbers (grpc/grpc, doc/statuscodes.md): a problem and its fix. */
const statuses = {
  OK: ['Temporal returned no result', 'Try again'],
  CANCELLED: ['the request to Temporal was cancelled', 'Try again'],
  UNKNOWN: ['Temporal failed', 'Check the log of the Temporal server'],
  INVALID_ARGUMENT: ['Temporal rejected the request', 'Change the value that it names'],
  DEADLINE_EXCEEDED: ['Temporal did not respond in time', 'Check the Temporal server, then try again'],
  NOT_FOUND: ['not found in Temporal', 'Check the ID and TEMPORAL_NAMESPACE'],
  ALREADY_EXISTS: ['the ID already exists in Temporal', 'Choose another ID'],
  PERMISSION_DENIED: ['Temporal denied access', 'Check TEMPORAL_NAMESPACE and the permissions of TEMPORAL_API_KEY'],
  RESOURCE_EXHAUSTED: ['Temporal rejected the request because of a limit', 'Try again later'],
  FAILED_PRECONDITION: [
    'the current state does not allow the request',
    'Check the state of the workflow, then try again',
  ],
  ABORTED: ['Temporal aborted the request', 'Try again'],
  OUT_OF_RANGE: ['Temporal rejected the request', 'Change the value that it names'],
  UNIMPLEMENTED: ['the server does not support the request', 'Check TEMPORAL_ADDRESS, or update the Temporal server'],
  INTERNAL: ['Temporal failed', 'Check the log of the Temporal server'],
  UNAVAILABLE: ['Temporal did not respond', 'Check TEMPORAL_ADDRESS and that the Temporal server is running'],
  DATA_LOSS: ['Temporal lost data', 'Check the database of the Temporal server'],
  UNAUTHENTICATED: ['Temporal rejected the credentials', 'Check TEMPORAL_API_KEY or the client certificate'],
} as const;

/** The name of a status; `code 99` for a number without a name. */
export type GrpcStatus = keyof typeof statuses | `code ${number}`;

const names = Object.keys(statuses) as (keyof typeof statuses)[];

/** An error of the server or of the connection. */
export interface GrpcFault {
  readonly status: GrpcStatus;
  readonly details: string;
}

/** Errors of the embedded server's database, by the text of SQLite. */
const databaseErrors: readonly (readonly [RegExp, Explanation])[] = [
  [
    /database or disk is full|no space left on device|SQLITE_FULL/i,
    { problem: 'the disk of the Temporal database is full', fix: 'Free some space, then try again' },
  ],
  [
    /readonly database|read-only file system|SQLITE_READONLY/i,
    {
      problem: 'the Temporal database cannot be written',
      fix: 'Grant write access to the state directory, or set LONGHAUL_STATE_DIR to another one',
    },
  ],
  [
    /disk image is malformed|file is not a database|no such table: namespaces|SQLITE_(?:CORRUPT|NOTADB)/i,
    {
      problem: 'the Temporal database is damaged',
      fix: 'Restore temporal.db and temporal.db-wal from a backup, or set LONGHAUL_STATE_DIR to another directory',
    },
  ],
  [
    /disk I\/O error|SQLITE_IOERR/i,
    {
      problem: 'the disk of the Temporal database reports an error',
      fix: 'Check the disk and the limit of file sizes (ulimit -f), or set LONGHAUL_STATE_DIR to another disk',
    },
  ],
];

/** Returns the explanation of a database error; undefined for any other text. */
export function databaseCause(text: string): Explanation | undefined {
  return databaseErrors.find(([pattern]) => pattern.test(text))?.[1];
}

/**
 * Returns the gRPC error of the server or the connection; undefined for any other error. Checks the form of the error, as
 * Temporal's SDK does, so that a command that fails early does not load the SDK.
 */
export function grpcFault(error: unknown): GrpcFault | undefined {
  // Errors of a worker's connection have no cause, and their details are in the message.
  const cause = error instanceof Error && error.name === 'ServiceError' ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return undefined;
  const { code, details, metadata } = cause as Error & Readonly<Record<'code' | 'details' | 'metadata', unknown>>;
  const isFault = typeof code === 'number' && typeof details === 'string' && typeof metadata === 'object';
  return isFault ? { status: names[code] ?? `code ${code}`, details: details || cause.message } : undefined;
}

/** Explains an error of Temporal or of the connection to it. */
export function grpcCause({ status, details }: GrpcFault): Explanation {
  const ofDatabase = databaseCause(details);
  if (ofDatabase) return ofDatabase;
  const namespace = missingNamespace(details);
  if (namespace !== undefined) return namespaceMissing(namespace);
  const [problem, fix] = isNamed(status) ? statuses[status] : ['Temporal failed', 'Check the Temporal server'];
  const cause = causeOf(details)
    .replace(/[\s.]+$/, '')
    .replace(/\s+/g, ' ');
  return { problem: `${problem}: ${cause === '' ? status : `${cause} (${status})`}`, fix };
}

/** Texts of the client library around an error of the network, and about a deadline, whose time is that of its last attempt. */
function causeOf(details: string): string {
  if (/^Deadline exceeded after [\d.]+s\b/.test(details)) return '';
  return details
    .replace(/^No connection established\.\s*/, '')
    .replace(/^Last error: (Error: )?/, '')
    .replace(/\s*Resolution note:.*$/s, '');
}

function isNamed(status: GrpcStatus): status is keyof typeof statuses {
  return status in statuses;
}

/** Returns the namespace that Temporal reports as missing; undefined for any other text. */
export function missingNamespace(details: string): string | undefined {
  return /namespace "?([^\s"]+?)"? (?:is |was )?not found/i.exec(details)?.[1]?.replace(/\.$/, '');
}

/** @param where such as ` at temporal:7233` */
export function namespaceMissing(namespace: string, where = ''): Explanation {
  return {
    problem: `namespace "${namespace}" not found${where}`,
    fix: `Set TEMPORAL_NAMESPACE to an existing namespace, or create it with "temporal operator namespace create ${namespace}"`,
  };
}

export function sentences({ problem, fix }: Explanation): string {
  return `${problem}. ${fix}.`;
}
