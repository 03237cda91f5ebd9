import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyCommandOf, keyCommandSchema } from '../../../src/config/api-key.ts';
import { KeyCommand } from '../../../src/keys/key-command.ts';
import { runKeyCommand, type KeyCommandOutcome } from '../../../src/keys/run-key-command.ts';
import { parseTokenOutput } from '../../../src/keys/token-output.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

const MINUTE_MS = 60_000;

describe('the output of a key command', () => {
  const nowMs = Date.parse('2026-11-28T01:00:00Z');
  const inAnHour = nowMs / 1000 + 3600;

  it.each([
    ['sk-1\n', { token: 'sk-1', expiresAtMs: undefined }],
    ['{"accessToken": "a", "expiresOn": "2026-11-28 02:00:00.000000"}', { token: 'a' }],
    [`{"accessToken": "a", "expiresOn": "x", "expires_on": ${inAnHour}}`, { token: 'a', expiresAtMs: inAnHour * 1000 }],
    [`{"access_token": "a", "expires_on": "${inAnHour}"}`, { token: 'a', expiresAtMs: inAnHour * 1000 }],
    ['{"access_token": "a", "expires_in": 3600}', { token: 'a', expiresAtMs: inAnHour * 1000 }],
    ['{"token": "a", "expiresOn": "2026-11-28T02:00:00Z"}', { token: 'a', expiresAtMs: inAnHour * 1000 }],
    ['{"access_token": "a", "expires_in": "soon"}', { token: 'a', expiresAtMs: undefined }],
    ['{"access_token": "a", "expires_in": 1e999}', { token: 'a', expiresAtMs: undefined }],
    ['', { problem: 'printed nothing' }],
    ['{"accessToken": 5}', { problem: 'printed JSON without accessToken or access_token' }],
    ['{"accessToken": ""}', { problem: 'printed JSON without accessToken or access_token' }],
    ['{"accessToken"', { problem: 'printed an object that is not JSON' }],
    ['Please log in', { problem: 'printed a token with characters that no token has' }],
    ['"sk-1"', { problem: 'printed a token with characters that no token has' }],
    ['["sk-1"]', { problem: 'printed a token with characters that no token has' }],
    [
      '{"accessToken": "a", "expires_on": 1}',
      { problem: 'printed a token that has expired by the clock of this machine' },
    ],
  ])('%s', (output, expected) => {
    expect(parseTokenOutput(output, nowMs)).toMatchObject(expected);
  });
});

describe('KeyCommand', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  const pass = (ms: number) => vi.advanceTimersByTime(ms);

  function scene(settings: { ttlMs?: number } = {}, ...outcomes: KeyCommandOutcome[]) {
    let runs = 0;
    const run = async (): Promise<KeyCommandOutcome> => {
      const outcome = outcomes[Math.min(runs, outcomes.length - 1)];
      runs += 1;
      return outcome ?? { stdout: `token-${runs}` };
    };
    const keys = new KeyCommand({ command: ['x'], timeoutMs: 1000, environment: {}, ...settings }, 'the command', run);
    return { keys, runs: () => runs };
  }

  it('runs once for concurrent calls, and again after the time to live', async () => {
    const { keys, runs } = scene();
    expect(await Promise.all([keys.current(), keys.current()])).toEqual(['token-1', 'token-1']);
    pass(3 * MINUTE_MS);
    expect(keys.current()).toBe('token-1');
    expect(runs()).toBe(1);
    pass(3 * MINUTE_MS);
    expect(await keys.current()).toBe('token-2');
  });

  it('renews a token in the background before it expires', async () => {
    const { keys, runs } = scene({}, { stdout: '{"access_token": "a", "expires_in": 3600}' }, { stdout: 'b' });
    expect(await keys.current()).toBe('a');
    pass(54 * MINUTE_MS);
    expect(keys.current()).toBe('a');
    pass(2 * MINUTE_MS);
    expect(keys.current()).toBe('a');
    await until(() => keys.current() === 'b', 'the new token', 1000);
    expect(runs()).toBe(2);
  });

  it('uses a token no longer than the configured time to live', async () => {
    const { keys } = scene(
      { ttlMs: MINUTE_MS },
      { stdout: '{"access_token": "a", "expires_in": 3600}' },
      { stdout: 'b' },
    );
    expect(await keys.current()).toBe('a');
    pass(MINUTE_MS);
    expect(await keys.current()).toBe('b');
  });

  it('runs again for a rejected token, but not for each rejection', async () => {
    const { keys, runs } = scene({}, { stdout: 'a' }, { stdout: 'a' }, { stdout: 'b' });
    await keys.current();
    expect(await keys.renewed('a')).toBeUndefined();
    expect(runs()).toBe(1);
    pass(11_000);
    expect(await Promise.all([keys.renewed('a'), keys.renewed('a')])).toEqual([undefined, undefined]);
    expect(runs()).toBe(2);
    pass(11_000);
    expect(await keys.renewed('a')).toBe('b');
    expect(await keys.renewed('a')).toBe('b');
    expect(runs()).toBe(3);
  });

  it('runs again after a rejection or a failure although the clock was set back by a day', async () => {
    const { keys } = scene({}, { stdout: 'a' }, { failure: 'exited with status 1', stderr: '' }, { stdout: 'b' });
    await keys.current();
    const setBack = () => vi.setSystemTime(Date.now() - 24 * 60 * MINUTE_MS);
    setBack();
    pass(11_000);
    expect(await keys.renewed('a')).toBeUndefined();
    setBack();
    pass(11_000);
    expect(await keys.renewed('a')).toBe('b');
  });

  it('reports a failure without a token, pauses after it, and recovers', async () => {
    const jwt = `eyJ${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}`;
    const short = 'eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.abc sk-canary1234567890';
    const stderr = `ERROR: token ${jwt} ${short} via http://me:canary@proxy:1\n\u001b[31mrun az login.\n`;
    const { keys, runs } = scene({}, { failure: 'exited with status 1', stderr }, { stdout: 'a' });
    const message =
      'the command exited with status 1: ERROR: token [redacted] [redacted] [redacted] via http://[redacted]@proxy:1 [31mrun az login. ' +
      'Run the command in a terminal as the same user, and correct it or log in.';
    await expect(keys.current()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message });
    await expect(keys.current()).rejects.toMatchObject({ message });
    expect(runs()).toBe(1);
    pass(2000);
    expect(await keys.current()).toBe('a');
  });
});

describe('runKeyCommand', () => {
  const run = (command: readonly string[], more: { environment?: Record<string, string>; timeoutMs?: number } = {}) =>
    runKeyCommand({ command, environment: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 5000, ...more });

  it('passes arguments without a shell, and only the given variables', async () => {
    const print = 'console.log(JSON.stringify([process.argv.slice(1), Object.keys(process.env).sort()]))';
    const argument = '$(id); `id` *';
    const outcome = await run([process.execPath, '-e', print, argument], { environment: { A: 'x' } });
    expect(JSON.parse((outcome as { stdout: string }).stdout)).toEqual([[argument], ['A']]);
  });

  it.each([
    [['/no/such/program'], 'was not found (ENOENT)', ''],
    [['/'], 'cannot be run (EACCES)', ''],
    [['sh', '-c', 'echo out; echo err >&2; exit 3'], 'exited with status 3', 'err\n'],
    [['sh', '-c', 'kill -9 $$'], 'was ended by SIGKILL', ''],
    [['sh', '-c', 'yes'], 'printed more than 64 KiB', ''],
  ])('reports the failure of %j', async (command, failure, stderr) => {
    expect(await run(command)).toEqual({ failure, stderr });
  });

  it('kills a command that exceeds the timeout, with the programs that it started', () =>
    withTempDir(async (dir) => {
      const pidFile = join(dir, 'pid');
      const script = `sleep 600 & echo $! > ${pidFile}; wait`;
      expect(await run(['sh', '-c', script], { timeoutMs: 500 })).toEqual({
        failure: 'did not end within 0.5 s',
        stderr: '',
      });
      const pid = Number(await readFile(pidFile, 'utf8'));
      const isOver = async () =>
        /^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State: Z'));
      await until(isOver, 'the program to end', 5000);
    }));

  it('does not wait for a program that keeps the output open', async () => {
    expect(await run(['sh', '-c', 'echo token; sleep 600 &'])).toEqual({ stdout: 'token\n' });
  });
});

it('passes the variables of tools and the configured ones to a command, but no key', () =>
  withTempDir(async (dir) => {
    const script = join(dir, 'print-env.cjs');
    await mkdir(join(dir, 'home'));
    await writeFile(script, 'console.log(Object.keys(process.env).sort().join(","))');
    const config = keyCommandSchema.parse({ command: [process.execPath, script], environment: ['AZURE_CLIENT_ID'] });
    const { keys, apiKeyFrom } = keyCommandOf(config, {
      PATH: '/bin',
      HOME: join(dir, 'home'),
      https_proxy: 'http://a:1',
      AZURE_CONFIG_DIR: '/a',
      AZURE_CLIENT_ID: 'id',
      OPENAI_API_KEY: 'sk-canary',
      LONGHAUL_SEAL_KEY: 'canary',
      AWS_SECRET_ACCESS_KEY: 'canary',
    });
    expect(await keys.current()).toBe('AZURE_CLIENT_ID,AZURE_CONFIG_DIR,HOME,PATH,https_proxy');
    expect(apiKeyFrom).toBe(`its apiKeyCommand (${process.execPath})`);
  }));
