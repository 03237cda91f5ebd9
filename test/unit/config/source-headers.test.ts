import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { workerSources } from '../../../src/config/sources.ts';
import { confined } from '../../../src/sources/source-settings.ts';
import { SourceHeaders } from '../../../src/sources/http/headers.ts';
import { configScene } from '../../support/config-scene.ts';

const { scene, writeConfig, problemsOf } = configScene();

const SECRET = 'canary-of-a-source-4711';
const HOST = 'files.example.com';

const writeHeaders = (headers: unknown, host = HOST) =>
  writeConfig({ sources: { http: { headers: { [host]: headers } } } });
const settingsOf = (env: Record<string, string>) => loadConfig({ ...scene.bare, ...env }).sources;

async function sent(env: Record<string, string>): Promise<Record<string, string> | undefined> {
  return new SourceHeaders(settingsOf(env).http?.headers).of(new URL(`https://${HOST}/x`), false)?.read();
}

describe('the headers of an HTTP source in the config file', () => {
  it('come from a variable, its file, or a file, after a prefix', async () => {
    const path = join(scene.dir, 'token');
    await writeFile(path, `${SECRET}-of-a-file\n`);
    await writeHeaders({
      Authorization: { env: 'FILES_TOKEN', prefix: 'Bearer ' },
      'X-Token': { file: path },
      Accept: 'application/octet-stream',
    });
    const others = { 'x-token': `${SECRET}-of-a-file`, accept: 'application/octet-stream' };
    expect(await sent({ FILES_TOKEN: ` ${SECRET}\n` })).toEqual({ authorization: `Bearer ${SECRET}`, ...others });
    expect(await sent({ FILES_TOKEN_FILE: path })).toEqual({ authorization: `Bearer ${SECRET}-of-a-file`, ...others });
  });

  it('come from a command, which receives no secret of the environment', async () => {
    const command = ['/bin/sh', '-c', `echo "token-of-\${FILES_TOKEN:-nothing}"`];
    await writeHeaders({ Authorization: { command, prefix: 'Bearer ' } });
    expect(await sent({ FILES_TOKEN: SECRET })).toEqual({ authorization: 'Bearer token-of-nothing' });
    await writeHeaders({ Authorization: { command: { command: ['/bin/sh', '-c', 'exit 3'], timeoutSeconds: 5 } } });
    await expect(sent({})).rejects.toThrow(
      /^no value for the header "Authorization" .* sets for files\.example\.com: its command \(\/bin\/sh\) .*3/,
    );
  });

  it('have files that no caller can upload', async () => {
    await writeHeaders({ Authorization: { env: 'FILES_AUTHORIZATION' }, 'X-Token': { file: '/keys/token' } });
    const { protect } = settingsOf({ FILES_AUTHORIZATION_FILE: '/keys/authorization' }).files ?? {};
    expect(protect?.files).toEqual(expect.arrayContaining(['/keys/token', '/keys/authorization']));
  });

  it('do not appear when the configuration is printed', async () => {
    await writeHeaders({ Authorization: { env: 'A', prefix: 'Bearer ' }, 'X-Token': { env: 'B' } });
    const config = loadConfig({ ...scene.bare, A: SECRET, B: SECRET });
    expect(inspect(config, { depth: 20 }) + JSON.stringify(config.sources)).not.toContain(SECRET);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'a secret in the file itself',
      { Authorization: 'Bearer abc' },
      /http\.headers\.\S+\.Authorization looks like a secret: use \{"env"/,
    ],
    ['neither a variable nor a file', { Authorization: {} }, /must have one of "env" .*, "file" .* and "command"/],
    ['both of them', { Authorization: { env: 'A', file: '/a' } }, /must have one of "env" .*, "file" .* and "command"/],
    [
      'a value instead of a name',
      { Authorization: { env: 'Bearer abc' } },
      /must be the name of an environment variable/,
    ],
    ['a relative path', { Authorization: { file: 'token' } }, /must be an absolute path/],
    ['another property', { Authorization: { value: 'a' } }, /has an unknown property: "value"/],
    ['no header', {}, /files\.example\.com has no headers/],
    ['a text', 'Authorization: a', /files\.example\.com must be an object of headers/],
    ['a number', { 'X-Team': 4 }, /must be \{"env": "VARIABLE"\}/],
    ['a prefix with a line break', { Authorization: { env: 'A', prefix: 'a\r\nb: ' } }, /prefix|must be/],
  ])('are rejected with %s', async (_, headers, problem) => {
    await writeHeaders(headers);
    expect(problemsOf({ A: SECRET })).toMatch(problem);
  });

  it('are rejected without a host', async () => {
    await writeHeaders({ env: 'FILES_TOKEN' }, 'Authorization');
    expect(problemsOf({})).toMatch(/http\.headers\.Authorization must be a host, for example \{"files\.example\.com"/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'is missing',
      {},
      /the header "Authorization" that "sources\.http\.headers" sets for files\.example\.com: the variable FILES_AUTHORIZATION is not set, and neither is FILES_AUTHORIZATION_FILE\.$/,
    ],
    [
      'has a line break',
      { FILES_AUTHORIZATION: `${SECRET}\r\nX-Other: 1` },
      /FILES_AUTHORIZATION has characters that a header cannot contain\.$/,
    ],
    [
      'is in a missing file',
      { FILES_AUTHORIZATION_FILE: '/no/such/file' },
      /\/no\/such\/file that FILES_AUTHORIZATION_FILE names does not exist\.$/,
    ],
  ])('stop a worker, but not the other commands, if a value %s', async (_, env, problem) => {
    await writeHeaders({ Authorization: { env: 'FILES_AUTHORIZATION' } });
    const settings = settingsOf(env);
    expect(() => workerSources(settings)).toThrow(problem);
    expect(() => workerSources({ ...settings, isOfCommand: true })).not.toThrow();
    await expect(sent(env)).rejects.toThrow(problem);
    await expect(sent(env)).rejects.not.toThrow(SECRET);
  });

  it('are kept in the settings of a worker', async () => {
    await writeHeaders({ Accept: 'text/plain' });
    expect(confined(settingsOf({})).http?.headers).toEqual({ [HOST]: { Accept: 'text/plain' } });
  });
});
