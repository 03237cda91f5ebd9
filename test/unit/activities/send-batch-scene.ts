import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createSendBatch } from '../../../activities/send-batch.ts';
import type {
  SendBatchFile,
  SendBatchHeartbeat,
  SendBatchInput,
  SendBatchResult,
} from '../../../src/contracts/batch.ts';
import type { UploadedFile } from '../../../src/contracts/upload.ts';
import { ApiError } from '../../../src/errors.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { openFileSource } from '../../../src/sources/file/source.ts';
import { UploadRates } from '../../../src/pace/upload-rates.ts';
import { mockActivity, withClient, type MockedMethods } from '../../support/mock-activity.ts';
import { withTempDir } from '../../support/temp-dir.ts';

export const HELLO = '5d41402abc4b2a76b9719d911017c592';
export const names = ['a', 'b', 'c'] as const;

export function file(id: string, changes: Partial<UploadedFile> = {}): UploadedFile {
  return { id, bytes: 5, createdAt: 100, filename: 'a', purpose: 'batch', ...changes };
}

export function rejection(status: number, said = 'rejected', details = {}): ApiError {
  return new ApiError(`${said} with ${status}`, { status, ...details });
}

export const sent = (name: string, md5: string | null = HELLO) => ({
  sent: { fileId: `file_of upload_${name}`, createdAt: 100, md5 },
});

export type Methods = MockedMethods;

interface Scene {
  readonly folder: string;
  /** `send a`, in the order of the calls. */
  readonly calls: string[];
  readonly beats: SendBatchHeartbeat[];
  /** @param files changes of the files of these names; others are not in the batch */
  readonly run: (methods?: Methods, options?: RunOptions) => Promise<SendBatchResult>;
  readonly environment: () => ReturnType<typeof mockActivity>;
}

interface RunOptions {
  readonly files?: Readonly<Record<string, Partial<SendBatchFile>>>;
  readonly input?: Partial<SendBatchInput>;
  readonly info?: object;
}

/** A folder with three files, and a service that accepts everything, except for what `methods` does otherwise. */
export function withFolder(body: (scene: Scene) => Promise<void>): Promise<void> {
  return withTempDir(async (folder) => {
    const all: Record<string, SendBatchFile> = {};
    for (const name of names) {
      const path = join(folder, name);
      await writeFile(path, 'hello');
      const reader = await openFileSource({ type: 'file', path });
      const { fingerprint, sizeBytes } = await reader.stat();
      await reader.close();
      all[name] = {
        path: name,
        filename: name,
        fingerprint,
        sizeBytes,
        uploadId: `upload_${name}`,
        uploadCreatedAt: 100,
      };
    }
    const calls: string[] = [];
    const beats: SendBatchHeartbeat[] = [];
    let environment: ReturnType<typeof mockActivity>;
    const run: Scene['run'] = (methods = {}, { files = all, input: changes = {}, info = {} } = {}) => {
      const base: Methods = {
        send: async (_id, content) => {
          await content.reader.read(Buffer.alloc(content.sizeBytes), 0);
          return { partId: 'part_1' };
        },
        complete: (id) => Promise.resolve(file(`file_of ${id}`)),
        cancel: () => Promise.resolve({ status: 'cancelled' }),
        list: () => Promise.resolve({ files: [], unreadable: [], hasMore: false, nextAfter: undefined }),
        read: () => Promise.resolve(Readable.from([Buffer.from('hello')], { objectMode: false })),
      };
      const logged = Object.fromEntries(
        Object.entries({ ...base, ...methods }).map(([name, method]) => [
          name,
          (...args: never[]) => {
            const [id] = args as unknown[];
            calls.push(typeof id === 'string' ? `${name} ${id.replace('upload_', '')}` : name);
            return Reflect.apply(method, undefined, args) as unknown;
          },
        ]),
      );
      environment = mockActivity({ attempt: 1, heartbeatTimeoutMs: 10_000, ...info });
      environment.on('heartbeat', (details) => beats.push(details as SendBatchHeartbeat));
      const input: SendBatchInput = {
        destination: 'default',
        purpose: 'batch',
        source: { type: 'folder', path: folder },
        files: Object.entries(files).map(([name, change]) => ({ ...(all[name] as SendBatchFile), ...change })),
        md5: true,
        concurrency: 1,
        ...changes,
      };
      const dependencies = { ...withClient(logged), rates: new UploadRates() };
      return environment.run(createSendBatch(dependencies), input) as Promise<SendBatchResult>;
    };
    await body({ folder, calls, beats, run, environment: () => environment });
  });
}

/** Fails for the Upload of one file, and does what `otherwise` does for the others. */
const only = (name: string, error: Error, otherwise: () => unknown) => (id: string) =>
  id === `upload_${name}` ? Promise.reject(error) : Promise.resolve(otherwise());
export const addPart = (name: string, error: Error) =>
  ({ send: only(name, error, () => ({ partId: 'part_1' })) }) as Methods;
export const complete = (name: string, error: Error) => {
  const completeUpload: Destination['complete'] = (id) =>
    id === `upload_${name}` ? Promise.reject(error) : Promise.resolve(file(`file_of ${id}`));
  return { complete: completeUpload };
};
export const one = { a: {} };
export const noMd5 = { input: { md5: false } };
