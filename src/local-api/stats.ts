import type { UploadStatus } from './upload-record.ts';
import type { UploadStore } from './upload-store.ts';

export interface UploadStats {
  readonly id: string;
  readonly filename: string;
  readonly purpose: string;
  readonly bytes: number;
  readonly mimeType: string;
  /** Lifetime of its File; null: no end. */
  readonly fileLifeSeconds: number | null;
  readonly status: UploadStatus;
  /** Number of stored parts, also those that the completion did not contain. */
  readonly partsReceived: number;
  /** Number of part requests, also those that failed. */
  readonly partsBegun: number;
  /** Bytes of the stored parts. */
  readonly bytesStored: number;
  /** Bytes of part data that were received, also of parts that were not stored. */
  readonly bytesReceived: number;
  readonly completions: number;
  /** Stored parts in the order of their arrival. */
  readonly partIds: readonly string[];
  readonly fileId: string | null;
}

export interface LocalApiStats {
  /**
   * Requests by route and status. A request without a response is counted as `reset`, `lost-answer` or `stall` (faults)
   * or `aborted` (the client disconnected).
   */
  readonly requests: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Oldest first. */
  readonly uploads: readonly UploadStats[];
  readonly totals: {
    readonly requests: number;
    readonly uploads: number;
    readonly partsReceived: number;
    readonly partsBegun: number;
    readonly bytesStored: number;
    readonly bytesReceived: number;
    readonly completions: number;
  };
}

interface Counts {
  partsBegun: number;
  bytesReceived: number;
}

/** Counts since the start of this server. Of earlier runs, only stored objects count. */
export class StatsRecorder {
  readonly #requests = new Map<string, Map<string, number>>();
  readonly #counts = new Map<string, Counts>();

  countRequest(route: string, outcome: string): void {
    const byOutcome = this.#requests.get(route) ?? new Map<string, number>();
    byOutcome.set(outcome, (byOutcome.get(outcome) ?? 0) + 1);
    this.#requests.set(route, byOutcome);
  }

  countPartBegun(uploadId: string): void {
    this.#countsOf(uploadId).partsBegun += 1;
  }

  countBytes(uploadId: string, sizeBytes: number): void {
    this.#countsOf(uploadId).bytesReceived += sizeBytes;
  }

  report(store: UploadStore): LocalApiStats {
    const uploads = [...store.all()].map(({ record, parts, receivedBytes }): UploadStats => {
      const counts = this.#counts.get(record.id);
      return {
        id: record.id,
        filename: record.filename,
        purpose: record.purpose,
        bytes: record.bytes,
        mimeType: record.mimeType,
        fileLifeSeconds: record.fileLifeSeconds ?? null,
        status: record.status,
        partsReceived: parts.size,
        partsBegun: Math.max(counts?.partsBegun ?? 0, parts.size),
        bytesStored: receivedBytes,
        bytesReceived: Math.max(counts?.bytesReceived ?? 0, receivedBytes),
        completions: record.status === 'completed' ? 1 : 0,
        partIds: [...parts.keys()],
        fileId: record.file === undefined || record.fileDeleted === true ? null : record.file.id,
      };
    });
    const sum = (value: (upload: UploadStats) => number) => uploads.reduce((total, one) => total + value(one), 0);
    const outcomes = [...this.#requests.values()].flatMap((byOutcome) => [...byOutcome.values()]);
    return {
      requests: Object.fromEntries([...this.#requests].map(([route, counts]) => [route, Object.fromEntries(counts)])),
      uploads,
      totals: {
        requests: outcomes.reduce((total, count) => total + count, 0),
        uploads: uploads.length,
        partsReceived: sum((upload) => upload.partsReceived),
        partsBegun: sum((upload) => upload.partsBegun),
        bytesStored: sum((upload) => upload.bytesStored),
        bytesReceived: sum((upload) => upload.bytesReceived),
        completions: sum((upload) => upload.completions),
      },
    };
  }

  #countsOf(uploadId: string): Counts {
    const counts = this.#counts.get(uploadId) ?? { partsBegun: 0, bytesReceived: 0 };
    this.#counts.set(uploadId, counts);
    return counts;
  }
}
