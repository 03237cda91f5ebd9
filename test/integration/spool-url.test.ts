import { randomBytes } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { beginCli, runCli, type InProcessCli } from '../support/cli.ts';
import { withHttpOrigin, type HttpOrigin, type OriginBehaviour } from '../support/http-origin.ts';
import { linesFile } from '../support/lines-file.ts';
import { md5 } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System, type SystemOptions } from '../support/system.ts';
import { until } from '../support/until.ts';

const CANARY = 'signature-canary-0451';

interface User extends System {
  readonly origin: HttpOrigin;
  readonly environment: Readonly<Record<string, string>>;
  readonly spooled: () => Promise<readonly string[]>;
}

/** A user without a Temporal server, and a server that does not support ranges. */
function withUser(
  changes: Partial<OriginBehaviour>,
  body: (user: User) => Promise<void>,
  options: SystemOptions = {},
): Promise<void> {
  return withHttpOrigin({ ranges: false, ...changes }, (origin) =>
    withSystem(async (system) => {
      const { directory } = system;
      const config = join(directory, 'config.json');
      await writeFile(config, JSON.stringify({ sources: { http: { allowPrivate: ['127.0.0.1'] } } }));
      await system.startWorker();
      const environment = { ...system.environment, LONGHAUL_CONFIG: config };
      const spooled = () => readdir(join(directory, 'state', 'spool')).catch((): string[] => []);
      await body({ ...system, origin, environment, spooled });
    }, options),
  );
}

const upload = (...args: readonly string[]) => ['upload', ...args, '--purpose', 'assistants', '--part-size', '1MiB'];

function pathIn(run: InProcessCli): string {
  return /^saved .* to (\S+)\. /m.exec(run.stderr())?.[1] ?? '';
}

describe('a URL whose server does not support range requests', () => {
  it('is rejected with the fix, and with --spool is uploaded, also after a broken connection', () =>
    withUser({ content: randomBytes(3 * MiB + 1) }, async ({ origin, environment, download, spooled, ...system }) => {
      const { behaviour, requests, url } = origin;
      const address = `${url}/data/my%20set.jsonl?X-Amz-Signature=${CANARY}`;
      // A worker elsewhere would need a key for the query.
      const refused = await runCli(upload(address), { ...environment, TEMPORAL_ADDRESS: '', ...system.embedded });
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(/^longhaul: cannot read .*my%20set.jsonl in parts: .*--spool.*\n$/);
      expect(system.uploads()).toEqual([]);

      const asked = requests.length;
      let isFirst = true;
      behaviour.answer = (_, response) => {
        if (!isFirst) return false;
        isFirst = false;
        response.writeHead(200, { 'content-length': behaviour.content.byteLength });
        response.write(behaviour.content.subarray(0, MiB), () => response.destroy());
        return true;
      };
      const { code, stdout, stderr } = await runCli(upload(address, '--spool', '--json'), environment);
      expect(stderr).toMatch(/cannot read .*\. Retrying\./);
      expect(stderr).toMatch(/saved .*my%20set\.jsonl \(3 MiB\) to .*\/copy\./);
      expect(code).toBe(0);
      const { file } = JSON.parse(stdout);
      expect(file.filename).toBe('my set.jsonl');
      expect(md5(await download(file.id))).toBe(md5(behaviour.content));
      expect(requests.length - asked).toBe(2);
      expect(requests.every(({ path }) => path.includes(CANARY))).toBe(true);
      expect(stdout + stderr + refused.stderr).not.toContain(CANARY);
      expect(await spooled()).toEqual([]);
    }));

  it('resumes from its private copy if the command is interrupted during the upload', () =>
    withUser(
      { content: randomBytes(8 * MiB) },
      async (user) => {
        const { origin, environment, api, download, spooled } = user;
        const run = beginCli(upload(`${origin.url}/x.jsonl`, '--spool'), environment);
        await partsReceived(user, 2);
        run.interrupt();
        expect((await run.ended).code).toBe(130);
        const path = pathIn(run);
        expect(run.stderr()).toContain(
          `longhaul: interrupted. The copy of ${origin.url}/x.jsonl is kept for one week. To resume, run the same command with ${path} instead of the URL.`,
        );
        expect((await stat(path)).mode & 0o777).toBe(0o600);
        api.configure({ bandwidthBytesPerSecond: null });
        const second = await runCli(upload(path, '--json'), environment);
        const { file, resumed } = JSON.parse(second.stdout);
        expect(resumed).toBe(true);
        expect(file.filename).toBe('x.jsonl');
        expect(md5(await download(file.id))).toBe(md5(origin.behaviour.content));
        expect(user.uploads()).toHaveLength(1);
        expect(await spooled()).toEqual([]);
      },
      { bandwidthBytesPerSecond: 4 * MiB },
    ));

  it('leaves nothing if the command is interrupted during the download', () =>
    withUser({ content: randomBytes(2 * MiB) }, async ({ origin, environment, spooled, uploads }) => {
      origin.behaviour.answer = (_, response) => {
        response.writeHead(200, { 'content-length': 2 * MiB });
        return response.write(origin.behaviour.content.subarray(0, MiB)) || true;
      };
      const run = beginCli(upload(`${origin.url}/x.jsonl?${CANARY}`, '--spool'), environment);
      await until(async () => (await spooled()).some((name) => name.endsWith('.partial')), 'the copy to begin');
      run.interrupt();
      const { code, stdout, stderr } = await run.ended;
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toBe(`longhaul: interrupted while ${origin.url}/x.jsonl was read. No copy is kept.\n`);
      expect(await spooled()).toEqual([]);
      expect(uploads()).toEqual([]);
    }));

  it('can be one of several sources, and is split by lines with --split', () =>
    withUser({}, async ({ origin, environment, directory, download, spooled }) => {
      const content = await linesFile(join(directory, 'local.jsonl'), 3 * MiB);
      origin.behaviour.content = content.subarray(0, 1_500_000);
      await mkdir(join(directory, 'more'));
      await writeFile(join(directory, 'more', 'b.jsonl'), '{}\n');
      const sources = [`${origin.url}/a.jsonl`, join(directory, 'more'), `${origin.url}/c.jsonl`];
      const several = await runCli([...upload(...sources, '--spool'), '--quiet'], environment);
      expect(several).toMatchObject({ code: 0, stderr: '' });
      const names = several.stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[1]);
      expect(names).toEqual(['a.jsonl', 'b.jsonl', 'c.jsonl']);

      origin.behaviour.content = content;
      const split = await runCli(
        upload(`${origin.url}/all.jsonl`, '--spool', '--split-size', '2MiB', '--json'),
        environment,
      );
      const { files } = JSON.parse(split.stdout);
      expect(files).toMatchObject([{ filename: 'all-00001-of-00002.jsonl' }, { filename: 'all-00002-of-00002.jsonl' }]);
      const pieces = await Promise.all(files.map(({ id }: { id: string }) => download(id)));
      expect(md5(Buffer.concat(pieces))).toBe(md5(content));
      expect(await spooled()).toEqual([]);
    }));

  it('is rejected in one line if it cannot be copied, and no copy is kept', () =>
    withUser({ content: Buffer.from('x') }, async ({ origin, environment, spooled }) => {
      const refused = async (words: RegExp, code: number, ...args: string[]) => {
        const outcome = await runCli(upload(...args, '--spool', '--quiet'), environment);
        expect(outcome.stderr).toMatch(words);
        expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
        expect(outcome).toMatchObject({ code, stdout: '' });
      };
      await Promise.all([
        refused(/--spool requires an http: or https: URL/, 2, 's3://bucket/key'),
        refused(/has no file name\. .*--filename/, 2, `${origin.url}/folder/`),
        refused(/must be a name without a path/, 2, `${origin.url}/x`, '--filename', '../x'),
        refused(/must not contain a user name/, 2, `http://me:secret@127.0.0.1:${origin.port}/x`),
        refused(/private or local address/, 2, `http://127.0.0.2:${origin.port}/x`),
      ]);
      expect(origin.requests).toEqual([]);

      const lengths: Readonly<Record<string, number>> = { '/empty': 0, '/large': 8 * 1024 ** 3 + 1, '/huge': 1e18 };
      origin.behaviour.answer = (request, response) => {
        response.writeHead(200, { 'content-length': lengths[request.url as string] }).flushHeaders();
        return true;
      };
      await Promise.all([
        refused(/is empty/, 2, `${origin.url}/empty`),
        refused(/is larger than 8 GiB.*--split/, 2, `${origin.url}/large`),
        refused(/cannot save .*\/huge in .*LONGHAUL_STATE_DIR/, 1, `${origin.url}/huge`, '--split'),
      ]);
      expect(await spooled()).toEqual([]);
    }));
});
