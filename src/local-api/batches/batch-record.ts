/** One problem of an input File, as the service reports it. */
export interface BatchProblem {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  /** Number of the line, from 1; null: the whole File. */
  readonly line: number | null;
}

/** A batch as it is stored. Times are Unix seconds. */
export interface BatchRecord {
  readonly id: string;
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Lifetime of its output Files. */
  readonly outputLifeSeconds?: number;
  readonly createdAt: number;
  /** Milliseconds that never repeat: the order of the list. */
  readonly orderMs: number;
  readonly status: 'validating' | 'in_progress' | 'failed' | 'completed';
  readonly inProgressAt?: number;
  readonly endedAt?: number;
  readonly problems?: readonly BatchProblem[];
  readonly outputFileId?: string;
  readonly errorFileId?: string;
  readonly counts: { readonly total: number; readonly completed: number; readonly failed: number };
}

const WINDOW_SECONDS = 24 * 3600;

/** The Batch object of the API. */
export function toBatchObject(batch: BatchRecord): Record<string, unknown> {
  const { status, endedAt, problems } = batch;
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    errors: problems === undefined ? null : { object: 'list', data: problems },
    input_file_id: batch.inputFileId,
    completion_window: '24h',
    status,
    output_file_id: batch.outputFileId ?? null,
    error_file_id: batch.errorFileId ?? null,
    created_at: batch.createdAt,
    in_progress_at: batch.inProgressAt ?? null,
    expires_at: batch.createdAt + WINDOW_SECONDS,
    completed_at: status === 'completed' ? endedAt : null,
    failed_at: status === 'failed' ? endedAt : null,
    request_counts: batch.counts,
    metadata: batch.metadata,
  };
}
