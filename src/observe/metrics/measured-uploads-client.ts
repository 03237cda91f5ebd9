import type { UploadSession } from '../../contracts/upload.ts';
import type { CallOptions } from '../../destinations/http/call-limits.ts';
import type { DestinationProfile } from '../../destinations/profile.ts';
import type { PartContent } from '../../destinations/http/multipart-part.ts';
import type { CreateUploadFields } from '../../destinations/sessions.ts';
import { UploadsClient, type UploadsClientOptions } from '../../destinations/openai.ts';
import type { WorkerMetrics } from './worker-metrics.ts';
import type { SourceReader } from '../../sources/source-reader.ts';

/** A client that counts the sessions it opens, and the bytes of parts while they are sent. */
export class MeasuredUploadsClient extends UploadsClient {
  readonly #metrics: WorkerMetrics;
  readonly #destination: string;

  /** @throws ConfigError as UploadsClient */
  constructor(metrics: WorkerMetrics, profile: DestinationProfile, options?: UploadsClientOptions) {
    super(profile, options);
    this.#metrics = metrics;
    this.#destination = profile.name;
    metrics.addDestination(profile.name);
  }

  override async createUpload(fields: CreateUploadFields, options?: CallOptions): Promise<UploadSession> {
    const session = await super.createUpload(fields, options);
    this.#metrics.countSession(this.#destination);
    return session;
  }

  override async addPart(uploadId: string, content: PartContent, options?: CallOptions): Promise<{ partId: string }> {
    const metrics = this.#metrics;
    const destination = this.#destination;
    const flight = metrics.flights.current;
    const isAgain = (flight?.attempt ?? 1) > 1;
    const startedAtMs = performance.now();
    let countedBytes = 0;
    const count = (totalBytes: number) => {
      metrics.countSent(destination, totalBytes - countedBytes, isAgain);
      countedBytes = totalBytes;
      if (flight) flight.lastMoveAtMs = performance.now();
    };
    const measured: PartContent = {
      ...content,
      reader: measuredReader(content.reader, metrics),
      onBytesSent: (totalBytes) => {
        count(totalBytes);
        content.onBytesSent?.(totalBytes);
      },
    };
    const answer = await super.addPart(uploadId, measured, options);
    // The last chunk tells nobody when the answer is quicker.
    count(content.sizeBytes);
    metrics.countPart(destination, content.sizeBytes, performance.now() - startedAtMs);
    return answer;
  }
}

/** A reader whose reads are counted and timed. */
export function measuredReader(reader: SourceReader, metrics: WorkerMetrics): SourceReader {
  return {
    stat: () => reader.stat(),
    read: async (buffer, offsetBytes) => {
      const startedAtMs = performance.now();
      const bytes = await reader.read(buffer, offsetBytes);
      metrics.countRead(bytes, performance.now() - startedAtMs);
      return bytes;
    },
    close: () => reader.close(),
  };
}
