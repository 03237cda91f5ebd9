import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findOnPath } from '../../src/dev/temporal-cli/temporal-cli-check.ts';
import { cleanEnvironment, runCli } from '../support/cli.ts';
import { prometheusMissing } from '../support/prometheus.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB } from '../support/system.ts';
import { until } from '../support/until.ts';

const script = fileURLToPath(new URL('../../deploy/without-containers.sh', import.meta.url));
const rulesPath = fileURLToPath(new URL('../../deploy/prometheus-rules.yml', import.meta.url));
const shellcheckMissing =
  findOnPath('shellcheck', process.env['PATH']).length > 0 ? undefined : 'shellcheck is not on PATH';
const unless = (missing: string | undefined): string => (missing === undefined ? '' : ` (skipped: ${missing})`);
const ANY_PORTS = ['--metrics-port', '0', '--prometheus-port', '0', '--api-port', '0'] as const;
const SIZE_BYTES = 2 * MiB;

interface Outcome {
  readonly code: number | null;
  readonly stderr: string;
}

let directory: string;
let stack: ChildProcess;
let stackEnded: Promise<unknown[]>;
let said = '';

const runScript = (...args: string[]): Promise<Outcome> =>
  promisify(execFile)(script, args, { env: cleanEnvironment({}) }).then(
    ({ stderr }) => ({ code: 0, stderr }),
    (error: Outcome) => error,
  );

/** The exports in the script's last line. */
function told(variable: string): string {
  const value = new RegExp(`${variable}=(\\S+)`).exec(said)?.[1];
  if (!value) throw new Error(`nothing was said of ${variable}: ${said}`);
  return value;
}

async function askPrometheus<T>(path: string): Promise<T> {
  const url = /^Prometheus: +(\S+)$/m.exec(said)?.[1];
  const answer = await fetch(`${url}/api/v1/${path}`);
  return ((await answer.json()) as { data: T }).data;
}

interface StackProcess {
  readonly pid: number;
  readonly command: string;
}

/** Processes that know the stack's directory by their arguments or environment. */
async function processesOfStack(): Promise<StackProcess[]> {
  const found: StackProcess[] = [];
  for (const pid of (await readdir('/proc')).map(Number).filter((number) => number > 0 && number !== process.pid)) {
    const [command = '', environment = ''] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    if (`${command}${environment}`.includes(directory)) found.push({ pid, command: command.replaceAll('\0', ' ') });
  }
  return found;
}

describe.skipIf(process.platform !== 'linux')('deploy/without-containers.sh', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'longhaul-stack-'));
    const places = ['--data', directory, '--root', join(directory, 'files')];
    await mkdir(join(directory, 'files'));
    stack = spawn(script, ['--embedded', '--demo', ...places, ...ANY_PORTS], { env: cleanEnvironment({}) });
    stack.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    stack.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    stackEnded = once(stack, 'exit');
    await until(() => said.includes('all is up') || stack.exitCode !== null, 'the parts to be up', 110_000);
    if (!said.includes('all is up')) throw new Error(`the script ended: ${said}`);
  });

  afterAll(async () => {
    stack.kill('SIGTERM');
    await stackEnded;
    for (const { pid } of await processesOfStack()) process.kill(pid, 'SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  it('starts all services that an upload needs, with a worker that sends it', async () => {
    const path = join(directory, 'files', 'set.jsonl');
    const content = await randomFile(path, SIZE_BYTES);
    const environment = {
      TEMPORAL_ADDRESS: told('TEMPORAL_ADDRESS'),
      OPENAI_BASE_URL: told('OPENAI_BASE_URL'),
      OPENAI_API_KEY: told('OPENAI_API_KEY'),
    };
    const { code, stdout, stderr } = await runCli(['upload', path, '--purpose', 'assistants'], environment);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const answer = await fetch(`${environment.OPENAI_BASE_URL}/files/${stdout.trim()}/content`, {
      headers: { authorization: `Bearer ${environment.OPENAI_API_KEY}` },
    });
    expect(content.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
  });

  it.skipIf(prometheusMissing !== undefined)(
    `starts Prometheus with the metrics of the worker and the rules${unless(prometheusMissing)}`,
    async () => {
      const { groups } = parse(await readFile(rulesPath, 'utf8')) as { groups: { rules: { alert: string }[] }[] };
      const loaded = await askPrometheus<{ groups: { rules: { name: string; health: string }[] }[] }>('rules');
      const names = loaded.groups.flatMap(({ rules }) => rules.map(({ name }) => name));
      expect(names).toEqual(groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)));
      expect(names).not.toEqual([]);
      const query = `query?query=${encodeURIComponent('sum(longhaul_sent_bytes_total{job="longhaul"})')}`;
      await until(async () => {
        const { result } = await askPrometheus<{ result: { value: [number, string] }[] }>(query);
        return Number(result[0]?.value[1]) === SIZE_BYTES;
      }, 'Prometheus to know of every byte that was sent');
    },
  );

  it('rejects a second start on the same data', async () => {
    const { code, stderr } = await runScript('--embedded', '--demo', '--data', directory, ...ANY_PORTS);
    expect(code).toBe(1);
    expect(stderr).toBe(`without-containers: something runs on ${directory} already: fuser ${directory}/lock\n`);
  });

  it('stops all processes at SIGTERM, and exits with 0', async () => {
    const before = await processesOfStack();
    for (const part of ['without-containers.sh', 'local-api', 'main.js worker', 'server start-dev']) {
      expect(before.filter(({ command }) => command.includes(part))).not.toEqual([]);
    }
    stack.kill('SIGTERM');
    expect(await stackEnded).toEqual([0, null]);
    expect(await processesOfStack()).toEqual([]);
  });

  it.each([
    [['--frob'], 'unknown option --frob; see --help'],
    [['--frob-port', '1'], 'unknown option --frob-port; see --help'],
    [['--api-port', 'x'], '--api-port needs a port, or 0 for any that is free'],
  ])('rejects %j', async (args, problem) => {
    expect(await runScript(...args)).toMatchObject({ code: 2, stderr: `without-containers: ${problem}\n` });
  });

  it.skipIf(shellcheckMissing !== undefined)(
    `has no problem that shellcheck reports${unless(shellcheckMissing)}`,
    async () => {
      const outcome = await promisify(execFile)('shellcheck', [script]).catch((error: { stdout: string }) => error);
      expect(outcome.stdout).toBe('');
    },
  );
});
