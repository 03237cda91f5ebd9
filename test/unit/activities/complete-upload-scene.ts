import { vi } from 'vitest';
import { Readable } from 'node:stream';
import { createCompleteUpload } from '../../../activities/complete-upload.ts';
import type { CompleteUploadInput } from '../../../src/contracts/activities.ts';
import type { UploadedFile } from '../../../src/contracts/upload.ts';
import { ApiError } from '../../../src/errors.ts';
import type { Destination, FileStore } from '../../../src/destinations/port.ts';
import { mockActivity, withClient } from '../../support/mock-activity.ts';

export const input: CompleteUploadInput = {
  destination: 'default',
  uploadId: 'upload_1',
  uploadCreatedAt: 1000,
  partIds: ['b', 'a'],
  /** Of no bytes at all. */
  md5: 'd41d8cd98f00b204e9800998ecf8427e',
  filename: 'train.jsonl',
  purpose: 'fine-tune',
  bytes: 42,
};

export const facts = { bytes: 42, createdAt: 1000, filename: 'train.jsonl', purpose: 'fine-tune' };

export const result: UploadedFile = {
  id: 'file-1',
  bytes: 42,
  createdAt: 1001,
  filename: 'train.jsonl',
  purpose: 'fine-tune',
  status: 'processed',
};

export const completeUpload = vi.fn<Destination['complete']>();
export const listFiles = vi.fn<FileStore['list']>();
export const downloadFile = vi.fn<FileStore['read']>();

export const run = (attempt: number, changes: Partial<CompleteUploadInput> = {}): Promise<UploadedFile> =>
  mockActivity({ attempt }).run(
    createCompleteUpload(withClient({ complete: completeUpload, list: listFiles, read: downloadFile })),
    {
      ...input,
      ...changes,
    },
  );

/** As the client makes them: our own word "completing" is in every message. */
export const refusal = (status: number, said: string, apiCode?: string): ApiError =>
  new ApiError(`127.0.0.1 answered ${status}, while completing upload_1: ${said}`, {
    status,
    apiMessage: said,
    apiCode,
  });

export const content = (text: string): Promise<Readable> =>
  Promise.resolve(Readable.from(text === '' ? [] : [Buffer.from(text)], { objectMode: false }));

export const page = (files: readonly UploadedFile[], nextAfter?: string) => ({
  files,
  unreadable: [],
  hasMore: nextAfter !== undefined,
  nextAfter,
});

export function resetCalls(): void {
  completeUpload.mockReset();
  listFiles.mockReset().mockResolvedValue(page([]));
  downloadFile.mockReset().mockImplementation(() => content(''));
}
