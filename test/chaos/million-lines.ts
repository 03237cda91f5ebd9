import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { firstMatch, KEY, withCommands, type Commands } from './commands.ts';

/*
 * Uploads requests with `--purpose batch --split` while the command is killed three times with SIGKILL, and checks each
 * File with code that shares nothing with the upload: each File is a valid batch, and each line is in exactly one File.
 *
 *     npm run build && npm run million-lines -- [LINES] [BYTES_PER_LINE]
 */

const LINES = Number(process.argv[2] ?? 1_000_000);
const LINE_BYTES = Number(process.argv[3] ?? 5368);
const KILLS = 3;

function* requests(): Generator<string> {
  for (let id = 0; id < LINES; id++) {
    const body = { model: 'm', input: '' };
    const empty = JSON.stringify({ custom_id: `request-${id}`, method: 'POST', url: '/v1/embeddings', body });
    yield `${empty.slice(0, -3)}${'x'.repeat(Math.max(LINE_BYTES - empty.length - 1, 0))}"}}\n`;
  }
}

await withCommands(run);

async function run({ directory, url, start }: Commands): Promise<void> {
  const source = join(directory, 'requests.jsonl');
  await pipeline(Readable.from(requests()), createWriteStream(source));
  const upload = ['upload', source, '--purpose', 'batch', '--split', '--json', '--quiet'];
  const expected = Math.ceil(LINES / 50_000);
  for (let kill = 1; kill <= KILLS; kill++) {
    const command = start(upload);
    const files = Math.floor((expected * kill) / (KILLS + 1));
    for (let count = 0; count < files; count = await countFiles(url)) {
      if (command.exitCode !== null) throw new Error('the command exited before it was killed');
      await setTimeout(100);
    }
    command.kill('SIGKILL');
    await once(command, 'exit');
    process.stdout.write(`killed the command with ${await countFiles(url)} Files\n`);
  }
  const last = start(upload);
  const result = JSON.parse(await firstMatch(last.stdout, /^(\{.*\})\n/s)) as {
    files?: { id: string }[];
    error?: object;
  };
  if (!result.files) throw new Error(`the upload failed: ${JSON.stringify(result.error)}`);
  const copy = createHash('sha256');
  let next = 0;
  for (const { id } of result.files) next = await checkFile(`${url}/files/${id}/content`, next, copy);
  const original = createHash('sha256');
  await pipeline(createReadStream(source), original);
  const isSame = original.digest('hex') === copy.digest('hex');
  if (next !== LINES || !isSame) throw new Error(`the Files have ${next} of ${LINES} lines, equal bytes: ${isSame}`);
  process.stdout.write(`PASS  ${result.files.length} Files are valid batches and have each of ${LINES} lines once\n`);
}

/** @returns the number of the line after the last one of the File */
async function checkFile(url: string, first: number, copy: Hash): Promise<number> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${KEY}` } });
  if (!response.ok || !response.body) throw new Error(`the API returned ${response.status}`);
  const body = Readable.fromWeb(response.body as never);
  let bytes = 0;
  let next = first;
  const ids = new Set<string>();
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    copy.update(chunk);
  });
  for await (const line of createInterface({ input: body })) {
    const value = JSON.parse(line) as Record<string, unknown>;
    const isRequest =
      value['method'] === 'POST' && typeof value['url'] === 'string' && typeof value['body'] === 'object';
    if (!isRequest || value['custom_id'] !== `request-${next}`) throw new Error(`line ${next} is missing or invalid`);
    ids.add(value['custom_id']);
    next++;
  }
  const lines = next - first;
  if (bytes > 200_000_000 || lines > 50_000 || ids.size !== lines) throw new Error('no batch accepts the File');
  return next;
}

async function countFiles(url: string): Promise<number> {
  const response = await fetch(`${url}/files?purpose=batch&limit=1000`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  return ((await response.json()) as { data: unknown[] }).data.length;
}
