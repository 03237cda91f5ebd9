import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { causeOf, ifExists } from '../core/text/errno-cause.ts';
import { ConfigError } from '../errors.ts';
import { makeDirectory } from '../make-directory.ts';
import { DIRECTORY_MODE, makePrivate } from './private-files.ts';
import type { LiveUpload, PartRecord, UploadRecord } from './upload-record.ts';

/** Maximum Uploads that are read at the same time, so that a large directory does not exhaust the file descriptors. */
const READS_AT_A_TIME = 32;

/** Paths in the data directory. */
export class StorePaths {
  readonly root: string;
  readonly incoming: string;
  readonly uploads: string;
  /** See `BatchStore`. */
  readonly batches: string;

  constructor(dataDir: string) {
    this.root = dataDir;
    this.incoming = join(dataDir, 'incoming');
    this.uploads = join(dataDir, 'uploads');
    this.batches = join(dataDir, 'batches');
  }

  record(uploadId: string): string {
    return join(this.uploads, uploadId, 'upload.json');
  }

  /** The name of the file of a part is the ID. Size and time of the part are those of the file. */
  parts(uploadId: string): string {
    return join(this.uploads, uploadId, 'parts');
  }
}

/**
 * Reads all Uploads, oldest first, and removes unfinished files of a killed server.
 * @throws ConfigError if the directory cannot be used or a record cannot be read
 */
export async function loadUploads(paths: StorePaths): Promise<LiveUpload[]> {
  try {
    await rm(paths.incoming, { recursive: true, force: true });
    makeDirectory(paths.root, DIRECTORY_MODE);
    await mkdir(paths.incoming, { mode: DIRECTORY_MODE });
    await mkdir(paths.uploads, { recursive: true, mode: DIRECTORY_MODE });
    await makePrivate(paths);
    const ids = await readdir(paths.uploads);
    const uploads = await pMap(ids, (id) => loadUpload(paths, id), { concurrency: READS_AT_A_TIME });
    return uploads
      .filter((upload) => upload !== undefined)
      .toSorted((one, other) => one.record.orderMs - other.record.orderMs);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      `cannot use the data directory ${paths.root} of the local API: ${causeOf(error)}. Choose another directory.`,
      { cause: error },
    );
  }
}

async function loadUpload(paths: StorePaths, uploadId: string): Promise<LiveUpload | undefined> {
  const record = await readRecord(paths, uploadId);
  if (record === undefined) {
    // Killed after the folder was created and before the record was written. No client received this Upload.
    await rm(join(paths.uploads, uploadId), { recursive: true, force: true });
    return undefined;
  }
  const stored = await storedParts(paths, record);
  const parts = new Map((record.parts ?? stored).map((part) => [part.id, part]));
  const receivedBytes = [...parts.values()].reduce((sum, part) => sum + part.sizeBytes, 0);
  return { record, parts, receivedBytes, busy: false };
}

async function readRecord(paths: StorePaths, uploadId: string): Promise<UploadRecord | undefined> {
  const path = paths.record(uploadId);
  const content = await ifExists(readFile(path, 'utf8'));
  if (content === undefined) return undefined;
  try {
    return JSON.parse(content) as UploadRecord;
  } catch (error) {
    throw new ConfigError(`${path} is damaged. Remove its folder, or choose another data directory.`, { cause: error });
  }
}

/** The parts on the disk, in the order of their arrival. Parts without a reference are removed. */
async function storedParts(paths: StorePaths, record: UploadRecord): Promise<PartRecord[]> {
  const folder = paths.parts(record.id);
  if (record.status === 'pending') {
    const found = await Promise.all((await readdir(folder)).map((id) => readPart(join(folder, id), id)));
    found.sort((one, other) => one.arrivedMs - other.arrivedMs);
    return found.map(({ part }) => part);
  }
  if (record.status !== 'completed' || record.fileDeleted === true) {
    await rm(folder, { recursive: true, force: true });
    return [];
  }
  const used = new Set(record.file?.partIds);
  const unused = (await readdir(folder)).filter((id) => !used.has(id));
  await Promise.all(unused.map((id) => rm(join(folder, id), { force: true })));
  return [];
}

async function readPart(path: string, id: string): Promise<{ part: PartRecord; arrivedMs: number }> {
  const { size, mtimeMs } = await stat(path);
  return { part: { id, sizeBytes: size, createdAt: Math.floor(mtimeMs / 1000) }, arrivedMs: mtimeMs };
}
