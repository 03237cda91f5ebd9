import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { beginCli, beginWorker, runCli } from '../support/cli.ts';
import { withHttpOrigin } from '../support/http-origin.ts';
import { md5 } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { textIn } from '../support/text-in.ts';
import { until } from '../support/until.ts';

const OLD = 'canary-of-an-old-token-51d0';
const NEW = 'canary-of-a-new-token-02ba';
const upload = (...args: string[]) => ['upload', ...args, '--purpose', 'assistants', '--part-size', '1MiB', '--json'];

it('a URL that requires a header is uploaded by workers that have it, also after the header changed', () =>
  withHttpOrigin({ content: randomBytes(8 * MiB + 1) }, (origin) =>
    withSystem(
      async (system) => {
        const { api, client, directory, download, taskQueue } = system;
        const host = `127.0.0.1:${origin.port}`;
        const url = `${origin.url}/data.jsonl`;
        const path = join(directory, 'config', 'token');
        const headers = { Authorization: { env: 'FILES_TOKEN', prefix: 'Bearer ' } };
        await mkdir(join(directory, 'config'));
        const config = join(directory, 'config', 'config.json');
        const http = { allowPrivate: ['127.0.0.1'], headers: { [host]: headers } };
        await writeFile(config, JSON.stringify({ sources: { http } }));
        const without = { ...system.environment, LONGHAUL_CONFIG: config };
        let token = OLD;
        origin.behaviour.answer = (request, response) =>
          request.headers.authorization !== `Bearer ${token}` &&
          Boolean(response.writeHead(403).end(JSON.stringify(request.headers)));

        // A value that is missing: before a byte, in each command that needs it, and in no other.
        const problem =
          `no value for the header "Authorization" that "sources.http.headers" sets for ${host}: ` +
          'the variable FILES_TOKEN is not set, and neither is FILES_TOKEN_FILE.';
        const noTemporal = { ...without, TEMPORAL_ADDRESS: '127.0.0.1:1' };
        const [worker, uploaded, doctor, list] = await Promise.all([
          runCli(['worker'], noTemporal),
          runCli(upload(url), without),
          runCli(['doctor', '--json'], without),
          runCli(['list'], without),
        ]);
        expect(worker).toMatchObject({ code: 2, stdout: '', stderr: `longhaul: ${problem}\n` });
        expect([uploaded.code, doctor.code, list.code]).toEqual([2, 1, 0]);
        expect(uploaded.stdout + uploaded.stderr).toContain(problem.replaceAll('"', String.raw`\"`));
        const { checks } = JSON.parse(doctor.stdout) as { checks: unknown };
        expect(checks).toContainEqual({ name: `headers of ${host}`, status: 'fail', message: problem });
        expect(origin.requests).toEqual([]);

        // A file that others can read is reported.
        await writeFile(path, `${OLD}\n`);
        await chmod(path, 0o644);
        const environment = { ...without, FILES_TOKEN_FILE: path };
        const open = await runCli(['doctor', url, '--json'], environment);
        expect(open.stdout).toContain(`other users of this machine can read the key file ${path}`);
        await chmod(path, 0o600);

        await beginWorker(environment);
        const before = origin.requests.length;
        const spooled = await runCli([...upload(url), '--spool'], without);
        expect(spooled.code).toBe(2);
        expect(spooled.stderr).toContain(problem);
        expect(origin.requests).toHaveLength(before);
        const run = beginCli(upload(url, '--id', `headers-${taskQueue}`), environment);
        const handle = client.getHandle(`headers-${taskQueue}`);
        await partsReceived(system, 2);
        token = NEW;
        await until(
          async () => (await handle.status()).state === 'waiting',
          () => `the upload to wait: ${run.stderr()}`,
        );
        expect((await handle.status()).waiting?.reason).toContain(
          `the server returned 403. Correct the header Authorization that "sources.http.headers" sets for ${host}`,
        );
        await writeFile(path, NEW);
        api.configure({ bandwidthBytesPerSecond: null });
        await handle.retry();
        const { code, stdout, stderr } = await run.ended;
        expect(code, stderr).toBe(0);
        const { file } = JSON.parse(stdout) as { file: { id: string } };
        expect(md5(await download(file.id))).toBe(md5(origin.behaviour.content));

        const history = textIn(await client.temporal.workflow.getHandle(`headers-${taskQueue}`).fetchHistory());
        for (const text of [history, stdout, stderr, open.stdout]) expect(text).not.toMatch(/canary/);
      },
      { bandwidthBytesPerSecond: 2 * MiB },
    ),
  ));
