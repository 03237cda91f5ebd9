import type { ControlActivities, TransferActivities } from '../../src/contracts/activities.ts';
import type {
  OpenBatchResult,
  PlannedUpload,
  SendBatchFile,
  SendBatchInput,
  SendBatchResult,
} from '../../src/contracts/batch.ts';
import type { FullSyncRequest } from '../../src/contracts/sync.ts';
import type { SharedLimit } from '../../src/contracts/upload.ts';
import type { DestinationLimits } from '../../src/contracts/limits.ts';
import { lineCheckOf } from '../../src/core/upload/content.ts';
import { formatBytes } from '../../src/core/text/format.ts';
import { summaryCode } from '../../src/core/text/markdown.ts';
import { HEARTBEAT_TIMEOUT, retry } from '../shell/activities.ts';
import { transferQueueOf } from '../shell/requests.ts';
import { callsOf, type Calls, type Unchecked } from '../shell/results.ts';

/** A paused or cancelled sync continues only after no part is in flight. */
const cancellationType = 'WAIT_CANCELLATION_COMPLETED';

type Sending = Calls<Pick<TransferActivities, 'sendBatch'>>;

/** The activities for small files of one sync, with the properties of their input that stay the same. */
export class BatchCalls {
  readonly #request: FullSyncRequest;
  readonly #limits: DestinationLimits;
  readonly #sessions: Calls<Pick<ControlActivities, 'openBatch'>>;
  readonly #sending: Sending;
  readonly #settling: Sending;
  readonly #sharedLimit: SharedLimit | undefined;

  constructor(request: FullSyncRequest, limits: DestinationLimits, sharedLimit: SharedLimit | undefined) {
    this.#limits = limits;
    this.#request = request;
    this.#sharedLimit = sharedLimit;
    const common = { heartbeatTimeout: HEARTBEAT_TIMEOUT, retry, cancellationType } as const;
    this.#sessions = callsOf<Pick<ControlActivities, 'openBatch'>>({ ...common, startToCloseTimeout: '5m' });
    const options = { ...common, taskQueue: transferQueueOf({ ...request }), startToCloseTimeout: '1h' } as const;
    this.#sending = callsOf<Pick<TransferActivities, 'sendBatch'>>(options);
    // Best effort: a session expires automatically.
    this.#settling = callsOf<Pick<TransferActivities, 'sendBatch'>>({
      ...options,
      scheduleToCloseTimeout: '5m',
    });
  }

  get source(): FullSyncRequest['source'] {
    return this.#request.source;
  }

  open(files: readonly PlannedUpload[], concurrency: number): Promise<Unchecked<OpenBatchResult>> {
    const { purpose, destination, upload } = this.#request;
    return this.#sessions.openBatch.executeWithOptions({ summary: summaryOf(files) }, [
      {
        destination,
        purpose,
        files: files.map(({ filename, sizeBytes: bytes }) => ({ filename, bytes })),
        mimeType: upload.mimeType,
        fileExpiresAfterSeconds: upload.fileExpiresAfterSeconds,
        concurrency,
      },
    ]);
  }

  send(files: readonly SendBatchFile[], concurrency: number): Promise<Unchecked<SendBatchResult>> {
    return this.#sending.sendBatch.executeWithOptions({ summary: summaryOf(files) }, [this.#input(files, concurrency)]);
  }

  /** Cancels the sessions of files that are not uploaded. */
  settle(files: readonly SendBatchFile[], concurrency: number): Promise<Unchecked<SendBatchResult>> {
    const settled = files.map((file) => ({ ...file, onlySettle: true as const }));
    return this.#settling.sendBatch.executeWithOptions({ summary: `cancel: ${summaryOf(files)}` }, [
      this.#input(settled, concurrency),
    ]);
  }

  #input(files: readonly SendBatchFile[], concurrency: number): SendBatchInput {
    const { source, purpose, destination, upload } = this.#request;
    const sharedLimit = this.#sharedLimit;
    const check = lineCheckOf(upload.check, purpose);
    const maxLines = check && this.#limits.maxLines;
    return { destination, purpose, source, files, md5: upload.md5, check, maxLines, concurrency, sharedLimit };
  }
}

function summaryOf(files: readonly { readonly path: string; readonly sizeBytes: number }[]): string {
  const bytes = formatBytes(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const first = summaryCode(files[0]?.path ?? '');
  return files.length === 1 ? `${first} · ${bytes}` : `${files.length} files from ${first} · ${bytes}`;
}
