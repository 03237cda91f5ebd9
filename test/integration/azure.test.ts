import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig, requireDestination } from 'longhaul/worker';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { KEY, MiB, withSystem } from '../support/system.ts';

const purpose = 'assistants';

describe('a destination of the kind azure', () => {
  it('renews an Entra token during an upload, with parts that each need a live token', () =>
    withSystem(
      async (system) => {
        const { api, client, directory } = system;
        const runs = join(directory, 'runs');
        // A new token for each run, which is renewed within one second.
        const script = [
          `require('node:fs').appendFileSync(process.argv[1], '.');`,
          `const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');`,
          `const exp = Math.floor(Date.now() / 1000) + 3;`,
          `console.log(JSON.stringify({ accessToken: [encoded({ alg: 'none' }), encoded({ exp }), 'x'].join('.'), expires_in: 1 }));`,
        ].join(' ');
        const apiKeyCommand = [process.execPath, '--eval', script, runs];
        const path = join(directory, 'config.json');
        const entra = { kind: 'azure', baseUrl: new URL(api.url).origin, apiKeyCommand };
        await writeFile(path, JSON.stringify({ destinations: { entra } }));
        const config = loadConfig({ LONGHAUL_CONFIG: path, HOME: directory, PATH: process.env['PATH'] });
        await system.startWorker({ destinations: (name) => requireDestination(config, name) });
        const file = join(directory, 'data.jsonl');
        const content = await randomFile(file, 3 * MiB);
        api.configure({ bandwidthBytesPerSecond: MiB });
        const handle = await client.upload({ file, purpose, destination: 'entra', partSizeBytes: MiB, concurrency: 1 });
        const { file: created, sessions } = await handle.result();
        expect(sessions).toBe(1);
        const answer = await fetch(`${api.url}/files/${created.id}/content`, { headers: { 'api-key': KEY } });
        expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
        expect((await readFile(runs, 'utf8')).length).toBeGreaterThan(1);
        expect(api.stats().requests['part']).toEqual({ 200: 3 });
      },
      { azure: true },
    ));

  it('uploads with the variables of the SDKs, and explains the 404 of the project endpoint', () =>
    withSystem(
      async (system) => {
        const { api, directory, embedded } = system;
        const origin = new URL(api.url).origin;
        const path = join(directory, 'projects.json');
        const project = { kind: 'azure', baseUrl: `${origin}/api/projects/p1` };
        const asOpenAi = {
          baseUrl: `${origin}/api/projects/p1/openai/v1`,
          authHeader: 'api-key',
          apiKeyEnv: 'AZURE_OPENAI_API_KEY',
        };
        await writeFile(path, JSON.stringify({ destinations: { project, asOpenAi } }));
        const environment = {
          ...embedded,
          LONGHAUL_CONFIG: path,
          AZURE_OPENAI_ENDPOINT: origin,
          AZURE_OPENAI_API_KEY: KEY,
          OPENAI_API_VERSION: '2025-04-01-preview',
        };
        const file = join(directory, 'data.jsonl');
        const content = await randomFile(file, 3 * MiB);
        const upload = (destination: string) =>
          runCli(
            ['upload', file, '--purpose', purpose, '--destination', destination, '--part-size', '1MiB'],
            environment,
          );
        const { code, stdout, stderr } = await upload('azure');
        expect({ code, stderr }).toMatchObject({ code: 0 });
        expect((await system.download(stdout.trim())).equals(content)).toBe(true);
        const [sent] = system.uploads();
        expect(sent?.id).toMatch(/^assistants-[0-9a-f]{32}$/);
        expect(sent?.partIds[0]).toMatch(/^uplprt-[0-9a-f]{32}$/);

        const doctor = await runCli(['doctor', '--json'], environment);
        const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; status: string; message: string }[] };
        const ofName = (name: string) => checks.find((check) => check.name === `destination ${name}`);
        expect(ofName('azure')).toMatchObject({ status: 'ok' });
        for (const name of ['project', 'asOpenAi']) {
          const { status, message = '' } = ofName(name) ?? {};
          expect(status).toBe('fail');
          expect(message).toMatch(
            /returned 404 Not Found .*the project endpoint of Foundry, which does not have the routes/,
          );
          expect(message).toContain(`Set the endpoint of the resource: ${origin}.`);
          const rejected = await upload(name);
          expect(rejected.code).toBe(2);
          expect(rejected.stderr.trim().split('\n')).toHaveLength(1);
          expect(rejected.stderr).toContain(`Set the endpoint of the resource: ${origin}.`);
        }
        expect(system.uploads()).toHaveLength(1);
      },
      { azure: true },
    ));
});
