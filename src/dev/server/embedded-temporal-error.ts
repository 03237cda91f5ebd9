import { LonghaulError } from '../../errors.ts';

/** The embedded Temporal server could not be started, reached or shared. */
export class EmbeddedTemporalError extends LonghaulError {
  readonly code = 'EMBEDDED_TEMPORAL_FAILED';
  readonly retryable = true;
}
