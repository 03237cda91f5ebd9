import { appendFile, mkdir, readFile, readdir, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import type { Receipt } from 'longhaul/types';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { withHttpOrigin } from '../support/http-origin.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';

describe('a receipt', () => {
  it('has the parts and the File of an upload, and verifies the source and the File', () =>
    withSystem(async (system) => {
      const { api, directory, embedded } = system;
      const folder = join(directory, 'data');
      await mkdir(folder);
      const file = join(folder, 'data.jsonl');
      const content = await randomFile(file, 3 * MiB);
      const path = join(directory, 'receipt.json');
      const upload = (...more: string[]) =>
        runCli(['upload', file, '--purpose', 'assistants', '--part-size', '1MiB', '--json', ...more], embedded);
      const early = await Promise.all([
        upload('--receipt', folder),
        upload('--receipt', join(directory, 'missing', 'r.json')),
        upload('--receipt', path, '--detach'),
        upload('--sha256'),
        runCli(['upload', file, file, '--purpose', 'assistants', '--receipt', path], embedded),
      ]);
      expect(early.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
      expect(system.uploads()).toEqual([]);

      const { code, stdout, stderr } = await upload('--receipt', path, '--sha256');
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const result = JSON.parse(stdout) as { file: { id: string }; receipt: { partIds: string[] } };
      const receipt = JSON.parse(await readFile(path, 'utf8')) as Receipt & { kind: 'upload' };
      expect(receipt).toMatchObject({
        format: 'longhaul-receipt/1',
        kind: 'upload',
        destination: 'default',
        source: { type: 'file', path: file },
        bytes: content.byteLength,
        md5: createHash('md5').update(content).digest('hex'),
        sha256: createHash('sha256').update(content).digest('hex'),
        file: { id: result.file.id, filename: 'data.jsonl', purpose: 'assistants' },
        versions: { node: process.versions.node },
      });
      expect(receipt.fingerprint).not.toBe('');
      expect(receipt.parts).toEqual(
        [0, 1, 2].map((index) => ({
          number: index + 1,
          id: result.receipt.partIds[index],
          offsetBytes: index * MiB,
          sizeBytes: MiB,
        })),
      );
      expect(new Set(system.uploads()[0]?.partIds)).toEqual(new Set(result.receipt.partIds));
      expect(Date.parse(receipt.completedAt)).toBeGreaterThanOrEqual(Date.parse(receipt.startedAt));
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect((await readdir(directory)).filter((name) => name.includes('.tmp'))).toEqual([]);

      const verify = async (...more: string[]) => {
        const run = await runCli(['verify', path, '--json', ...more], embedded);
        const { verified, checks } = JSON.parse(run.stdout) as {
          verified: boolean;
          checks: { status: string; message: string }[];
        };
        expect(run.code).toBe(verified ? 0 : 1);
        return checks.map(({ status, message }) => `${status} ${message}`);
      };
      const md5 = receipt.md5 as string;
      const inFile = `ok 3 MiB, MD5 ${md5}`;
      const same = `${inFile}, SHA-256 ${receipt.sha256}`;
      expect(await verify()).toEqual([same, inFile]);
      await utimes(file, new Date(0), new Date(0));
      expect((await verify('--no-file'))[0]).toContain('Its fingerprint changed, its content did not');
      api.faults.add({ route: 'content', kind: 'status', status: 400 });
      expect((await verify())[1]).toMatch(
        /^warn 3 MiB\. Content not compared, because the service does not return .*assistants/,
      );
      api.faults.add({ route: 'content', kind: 'alter', text: 'other' });
      expect((await verify())[1]).toBe(`fail has 5 bytes, and the receipt has ${content.byteLength}`);
      api.faults.clear();
      const written = await readFile(path, 'utf8');
      // As after --no-md5.
      await writeFile(path, JSON.stringify({ ...receipt, md5: null }));
      const bySha256 = `ok 3 MiB, SHA-256 ${receipt.sha256}. Its fingerprint changed, its content did not`;
      expect(await verify()).toEqual([bySha256, inFile]);
      await writeFile(file, Buffer.alloc(content.byteLength));
      expect((await verify('--no-file'))[0]).toMatch(/^fail has the SHA-256 \w{64}, and the receipt has/);
      await writeFile(path, written);
      expect((await verify('--no-file'))[0]).toMatch(/^fail has the MD5 \w{32}, and the receipt has/);
      await appendFile(file, 'x');
      expect((await verify('--no-file'))[0]).toBe(
        `fail has ${content.byteLength + 1} bytes, and the receipt has ${content.byteLength}`,
      );
      await rename(file, `${file}.moved`);
      await writeFile(`${file}.moved`, content);
      expect((await verify('--no-file'))[0]).toMatch(/^fail /);
      api.faults.clear();
      expect(await verify('--source', `${file}.moved`)).toEqual([same, inFile]);
      const text = await runCli(['verify', path, '--source', `${file}.moved`], embedded);
      expect(text.stdout).toMatch(/^ok {4}source .*data\.jsonl\.moved: 3 MiB, MD5 \w{32}, SHA-256 \w{64}\nok {4}File /);
      const { file: uploaded } = receipt;
      await fetch(`${api.url}/files/${uploaded.id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${embedded['OPENAI_API_KEY']}` },
      });
      expect((await verify('--source', `${file}.moved`))[1]).toMatch(/^fail does not exist: .*404/);

      await writeFile(path, JSON.stringify({ ...receipt, source: { type: 'file', path: directory } }));
      expect((await verify('--no-file'))[0]).toMatch(/^fail cannot compare \//);
      await writeFile(path, JSON.stringify({ ...receipt, parts: receipt.parts.slice(1) }));
      const cut = await runCli(['verify', path], embedded);
      expect(cut.stderr).toMatch(/is not a receipt: the parts of the File file-\S+ do not have its 3145728 bytes/);

      const connected = await runCli(['verify', path, '--connection', 'minio'], embedded);
      expect(connected.stderr).toMatch(/--connection requires --source s3:/);
      const ofFile = await runCli(['verify', path, '--connection', 'minio', '--source', file], embedded);
      expect(ofFile.stderr).toMatch(/--connection requires a source such as s3:/);
      await writeFile(path, '{"format":"longhaul-receipt/9"}');
      const wrong = await runCli(['verify', path], embedded);
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toMatch(/is not a receipt: .*\. Use a file that "upload --receipt" wrote\.\n$/);
    }));

  it('has the SHA-256 from the pass that computes the MD5, without further reads', () =>
    withSystem(async ({ directory, embedded }) => {
      const content = randomBytes(3 * MiB);
      const digest = createHash('sha256').update(content).digest('hex');
      await withHttpOrigin({ content }, async ({ url, requests }) => {
        const bytesRead = () =>
          requests.reduce((sum, { range }) => {
            const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
            return last === undefined ? sum : sum + Number(last) - Number(first) + 1;
          }, 0);
        const args = (name: string) => ['upload', `${url}/${name}`, '--purpose', 'assistants', '--receipt'];
        const more = ['--part-size', '1MiB', '--quiet'];
        const config = join(directory, 'config.json');
        await writeFile(config, JSON.stringify({ sources: { http: { allowPrivate: ['127.0.0.1'] } } }));
        const environment = { ...embedded, LONGHAUL_CONFIG: config };
        const readFor = async (name: string, ...options: string[]) => {
          const before = bytesRead();
          const path = join(directory, name);
          const { code, stderr } = await runCli([...args(name), path, ...more, ...options], environment);
          expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
          const { sha256 } = JSON.parse(await readFile(path, 'utf8')) as { sha256?: string };
          return { sha256, bytes: bytesRead() - before };
        };
        const without = await readFor('a.bin');
        expect(without.sha256).toBeUndefined();
        expect(await readFor('b.bin', '--sha256')).toEqual({ sha256: digest, bytes: without.bytes });
        // In the part of a small file, without an MD5 and in the pieces of a split upload.
        expect(await readFor('c.bin', '--sha256', '--part-size', '4MiB')).toMatchObject({ sha256: digest });
        expect(await readFor('d.bin', '--sha256', '--no-md5')).toEqual({ sha256: digest, bytes: without.bytes });
        // The upload was started without it.
        expect((await readFor('a.bin', '--sha256')).sha256).toBe(digest);
      });
    }));

  it('has all pieces of a split upload, also for an upload that was completed before', () =>
    withSystem(async (system) => {
      const { directory, embedded } = system;
      const file = join(directory, 'rows.jsonl');
      await writeFile(file, Array.from({ length: 3000 }, (_, row) => `{"row":${row}}\n`).join(''));
      const { size } = await stat(file);
      const path = join(directory, 'receipt.json');
      const args = ['upload', file, '--purpose', 'assistants', '--split-size', '20000', '--quiet'];
      expect((await runCli(args, embedded)).code).toBe(0);
      const sent = system.uploads().length;
      const { code, stderr } = await runCli([...args, '--receipt', path], embedded);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(system.uploads()).toHaveLength(sent);
      const receipt = JSON.parse(await readFile(path, 'utf8')) as Receipt & { kind: 'split' };
      expect(receipt).toMatchObject({ kind: 'split', bytes: size });
      expect(receipt.pieces.map(({ source }) => source.range?.offsetBytes)[1]).toBe(receipt.pieces[0]?.bytes);
      expect(receipt.pieces.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(size);
      const verified = await runCli(['verify', path], embedded);
      expect(verified.code).toBe(0);
      expect(verified.stdout.match(/^ok {4}/gm)).toHaveLength(1 + 2 * receipt.pieces.length);
      await appendFile(file, '{"row":0}\n');
      expect((await runCli(['verify', path, '--no-file'], embedded)).stdout).toMatch(
        /^fail {2}source .* bytes, and the receipt has/,
      );
    }));
});
