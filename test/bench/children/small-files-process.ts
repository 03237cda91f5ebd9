/**
 * The official SDK uploads one small file many times, or each file of a folder, each as an Upload of one part, in a separate
 * process.
 *
 *   node small-files-process.js BASE_URL PATH COUNT CONCURRENCY
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { SmallFilesResult } from './small-files-result.ts';

const [baseURL = '', path = '', count = 0, concurrency = 0] = process.argv
  .slice(2)
  .map((value, index) => (index < 2 ? value : Number(value))) as [string?, string?, number?, number?];
const client = new OpenAI({ baseURL, apiKey: 'bench', maxRetries: 0 });
const isFolder = (await stat(path)).isDirectory();
const paths = isFolder ? (await readdir(path)).map((name) => join(path, name)) : [path];

async function uploadOne(file: string): Promise<void> {
  const { size } = await stat(file);
  const upload = await client.uploads.create({
    filename: 'small.bin',
    purpose: 'assistants',
    bytes: size,
    mime_type: 'application/octet-stream',
  });
  const part = await client.uploads.parts.create(upload.id, { data: createReadStream(file) });
  await client.uploads.complete(upload.id, { part_ids: [part.id] });
}

async function uploadMany(files: number): Promise<void> {
  let next = 0;
  const uploadNext = async () => {
    while (next < files) await uploadOne(paths[next++ % paths.length] as string);
  };
  await Promise.all(Array.from({ length: concurrency }, uploadNext));
}

await uploadMany(concurrency);
const cpuBefore = process.cpuUsage();
const startedAtMs = performance.now();
await uploadMany(count);
const seconds = (performance.now() - startedAtMs) / 1000;
const cpu = process.cpuUsage(cpuBefore);
const result: SmallFilesResult = {
  seconds,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  peakRssMib: process.resourceUsage().maxRSS / 1024,
};
console.log(JSON.stringify(result));
process.exit(0);
