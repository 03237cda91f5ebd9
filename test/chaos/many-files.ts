import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { firstMatch, KEY, withCommands, type Commands } from './commands.ts';

/*
 * The first sync of many tiny files with a manifest, while the command, which contains the worker, is killed with SIGKILL
 * at random times. Afterwards each file must have exactly one File with its content, and one row in the manifest, and
 * another sync must send nothing.
 *
 *     npm run build && npm run many-files -- [FILES] [KILLS]
 */

const FILES = Number(process.argv[2] ?? 100_000);
const KILLS = Number(process.argv[3] ?? 4);
const FILES_A_FOLDER = 1000;

await withCommands(run);

interface Counts {
  readonly same: number;
  readonly failed: number;
  readonly sent: { readonly files: number };
}

async function run({ directory, url, start }: Commands): Promise<void> {
  const source = join(directory, 'data');
  const manifest = join(directory, 'sync.jsonl');
  const contents = await createFiles(source);
  const sync = ['sync', source, '--purpose', 'assistants', '--manifest', manifest, '--json', '--quiet'];
  const startedAtMs = performance.now();
  const seconds = () => ((performance.now() - startedAtMs) / 1000).toFixed(0);
  for (let kill = 0; kill < KILLS; kill++) {
    // One kill in each part of the run, at a random number of Files.
    const files = Math.floor((FILES * (kill + randomInt(5, 95) / 100)) / KILLS);
    const command = start(sync);
    for (let count = 0; count < files; count = (await listFiles(url)).size) {
      if (command.exitCode !== null) throw new Error('the command exited before it was killed');
      await setTimeout(2000);
    }
    command.kill('SIGKILL');
    await once(command, 'exit');
    const rows = await rowsOf(manifest).catch(() => []);
    print(`${seconds()} s: killed the command with ${(await listFiles(url)).size} Files and ${rows.length} rows`);
  }
  const first = await countsOf(start(sync));
  print(`${seconds()} s: the last command completed the sync: ${JSON.stringify(first)}`);
  const found = await listFiles(url);
  for (const [path, content] of contents) await checkFile(url, path, content, found.get(path.replaceAll('/', '__')));
  if (found.size !== FILES) throw new Error(`the service has Files of ${found.size} names, not of ${FILES}`);
  const rows = await rowsOf(manifest);
  for (const { path, fileId } of rows) {
    if (found.get(path.replaceAll('/', '__'))?.[0] !== fileId) throw new Error(`the row of ${path} has another File`);
  }
  if (rows.length !== FILES) throw new Error(`the manifest has ${rows.length} rows`);
  const again = await countsOf(start(sync));
  if (again.same !== FILES || again.sent.files > 0) throw new Error(`a second sync: ${JSON.stringify(again)}`);
  print(`PASS  each of ${FILES} files has exactly one File and one row, after ${KILLS} kills`);
}

async function createFiles(source: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (let number = 0; number < FILES; number++) {
    const folder = `part-${Math.floor(number / FILES_A_FOLDER)}`;
    if (number % FILES_A_FOLDER === 0) await mkdir(join(source, folder), { recursive: true });
    const path = `${folder}/${String(number).padStart(6, '0')}.txt`;
    contents.set(path, `file ${number}\n`);
    await writeFile(join(source, path), `file ${number}\n`);
  }
  return contents;
}

async function checkFile(url: string, path: string, content: string, ids: readonly string[] = []): Promise<void> {
  if (ids.length !== 1) throw new Error(`${path} has ${ids.length} Files`);
  const response = await get(`${url}/files/${ids[0]}/content`);
  if ((await response.text()) !== content) throw new Error(`the File of ${path} has other content`);
}

/** IDs of the Files by their names. */
async function listFiles(url: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (let after = ''; ;) {
    const response = await get(`${url}/files?limit=10000${after === '' ? '' : `&after=${after}`}`);
    const page = (await response.json()) as { data: { id: string; filename: string }[]; has_more: boolean };
    for (const { id, filename } of page.data) found.set(filename, [...(found.get(filename) ?? []), id]);
    after = page.data.at(-1)?.id ?? '';
    if (!page.has_more) return found;
  }
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${KEY}` } });
  if (!response.ok) throw new Error(`the API returned ${response.status}`);
  return response;
}

async function rowsOf(manifest: string): Promise<{ path: string; fileId: string }[]> {
  const lines = (await readFile(manifest, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as { path: string; fileId: string });
}

async function countsOf(command: ChildProcess): Promise<Counts> {
  const result = JSON.parse(await firstMatch(command.stdout, /^(\{.*\})\n/s)) as { counts?: Counts };
  if (!result.counts || result.counts.failed > 0) throw new Error(`the sync failed: ${JSON.stringify(result)}`);
  if (command.exitCode === null) await once(command, 'exit');
  return result.counts;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
