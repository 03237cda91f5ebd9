import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { MiB } from '../measurement.ts';

const BLOCK_BYTES = 8 * MiB;

/** Written to the disk before anything is measured, so that the system's own writing is over then. */
export async function writeBenchFile(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    const block = Buffer.alloc(BLOCK_BYTES, 'longhaul');
    for (let written = 0; written < sizeBytes; written += block.byteLength) {
      await file.write(block.subarray(0, sizeBytes - written));
    }
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Brings the whole file into the page cache, from which some systems drop what rests for a moment. */
export async function readThrough(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
    while ((await file.read(buffer, 0, buffer.byteLength)).bytesRead > 0);
  } finally {
    await file.close();
  }
}

/** Takes the whole file out of the page cache. Needs the dd of GNU. */
export async function dropFromCache(path: string): Promise<void> {
  await promisify(execFile)('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
}
