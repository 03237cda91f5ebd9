import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { cleanEnvironment, shortLived } from '../support/cli.ts';
import { compileProject, installPackedPackage } from '../support/packed-package.ts';
import { md5 } from '../support/random-file.ts';
import { withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** Programs that a failed test has not stopped. */
const running = new Set<ChildProcess>();
afterEach(() => running.forEach((child) => child.kill('SIGKILL')));

/** A program of an example, as its user starts it. */
function start(directory: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [...shortLived, ...args], {
    cwd: directory,
    env: cleanEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: code as number | null, stdout, stderr };
  });
  const end = (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') => child.kill(signal);
  return { said: () => stdout, problems: () => stderr, end, ended };
}

/** The examples in a project with the packed package and the other packages that they depend on. */
let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'longhaul-examples-'));
  await installPackedPackage(project);
  for (const name of ['fastify', 'openai']) await symlink(join(modules, name), join(project, 'node_modules', name));
  await cp(examples, project, { recursive: true });
});
afterAll(() => rm(project, { recursive: true, force: true }));

/** Sets task queues of this test in the files of an example, and starts its worker when the function is called. */
async function prepareHost(example: string, taskQueue: string, queues: readonly string[], env: Record<string, string>) {
  const directory = join(project, example);
  for (const file of (await readdir(directory)).filter((name) => /\.[jt]s$/.test(name))) {
    const text = await readFile(join(directory, file), 'utf8');
    const replaced = queues.reduce((all, queue) => all.replaceAll(`'${queue}',`, `'${queue}-${taskQueue}',`), text);
    // Without it, workflows wait ten seconds for the cache of a killed worker.
    const sticky = "plugins: [longhaul], stickyQueueScheduleToStartTimeout: '1 second',";
    await writeFile(join(directory, file), replaced.replace('plugins: [longhaul],', sticky));
  }
  return async () => {
    const worker = start(directory, ['host.js'], env);
    await until(
      () => worker.said().includes('running'),
      () => `the host: ${worker.problems()}`,
    );
    return worker;
  };
}

/** A request of a batch, with the rest of its body. */
function batchLine(id: string, input: string): string {
  const body = { model: 'm', input };
  return `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/responses', body })}\n`;
}

it('the examples run from the packed package', () =>
  withSystem(async (system) => {
    const { directory, environment, download, startWorker, taskQueue } = system;
    const host = 'examples';
    const env = { ...environment, LONGHAUL_HOST: host };
    await startWorker({ host });
    await mkdir(join(directory, 'data'));
    const content = Buffer.from(
      Array.from({ length: 3000 }, (_, n) => batchLine(String(n), 'x'.repeat(1000))).join(''),
    );
    await writeFile(join(directory, 'data', 'train.jsonl'), content);

    const service = start(join(project, 'http-service'), ['server.js'], { ...env, PORT: '0' });
    await until(() => service.said().includes('http://'), 'the service');
    const url = /http:\S+/.exec(service.said())?.[0] ?? '';
    const post = (body: object) =>
      fetch(`${url}/uploads`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await post({})).status).toBe(400);
    expect((await post({ path: join(directory, 'none') })).status).toBe(400);
    expect((await fetch(`${url}/uploads/none/events`)).status).toBe(404);
    const { id, events } = (await (await post({ path: join(directory, 'data', 'train.jsonl') })).json()) as Record<
      string,
      string
    >;
    const stream = await (await fetch(`${url}${events}`)).text();
    expect(stream).toContain('event: completed');
    const fileId = /"id":"(file-\w+)"/.exec(stream)?.[1] ?? '';
    expect(md5(await download(fileId))).toBe(md5(content));
    expect((await fetch(`${url}/uploads/${id}`, { method: 'DELETE' })).status).toBeOneOf([204, 404, 500]);
    service.end();
    expect(await service.ended).toMatchObject({ code: 0, stderr: '' });

    const job = join(project, 'nightly-job');
    const jobEnv = { ...env, TRAINING_DATA: join(directory, 'data') };
    for (const time of ['first', 'second']) {
      const { stdout, stderr } = await start(job, ['job.js'], jobEnv).ended;
      expect(stderr + stdout, time).toContain('is set');
    }
    await system.client.schedules.trigger('nightly-training-data');
    const { schedules } = system.client;
    await until(async () => (await schedules.check('nightly-training-data')).healthy, 'a run of the schedule');
    expect(await start(job, ['job.js', 'check'], jobEnv).ended).toMatchObject({ code: 0, stdout: 'healthy\n' });
    await system.client.schedules.delete('nightly-training-data');

    const reports = join(directory, 'reports');
    const guest = { ...env, REPORTS: reports };
    const worker = await (await prepareHost('guest-worker', taskQueue, ['longhaul', 'reports'], guest))();
    const name = basename(directory);
    const published = await start(join(project, 'guest-worker'), ['publish.js', name], guest).ended;
    expect(JSON.parse((await download(published.stdout.trim())).toString())).toMatchObject({ custom_id: '1' });
    worker.end();
    expect((await worker.ended).code).toBe(0);
  }));

it('the batch example creates one batch, also if its worker is killed after the call that creates it', () =>
  withSystem(async ({ api, directory, environment, taskQueue }) => {
    expect(await compileProject(project, ['batch-workflow/workflows.ts'])).toEqual([]);
    const env = { ...environment, BATCHES: directory, POLL_INTERVAL: '1 seconds' };
    const request = (id: string, body: object) =>
      `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/responses', body })}\n`;
    const requests = join(directory, `requests-${basename(directory)}.jsonl`);
    const results = join(directory, 'results.jsonl');
    await writeFile(requests, request('good', { model: 'm' }) + request('bad', {}) + request('lost', { model: 'm' }));

    const startHost = await prepareHost('batch-workflow', taskQueue, ['longhaul', 'batches'], env);
    // The service creates the batch, and no client receives its ID. Later, its output has a row less.
    api.faults.add({ route: 'batch-create', kind: 'lost-answer' });
    const row = { custom_id: 'good', response: { status_code: 200, body: { text: 'yes' } }, error: null };
    api.faults.add({ route: 'content', kind: 'alter', text: JSON.stringify(row) });
    const killed = await startHost();
    const run = start(join(project, 'batch-workflow'), ['run.js', requests, results], env);
    const batches = () => readdir(join(directory, 'api', 'batches'));
    await until(
      async () => (await batches()).length > 0,
      () => `a batch: ${killed.problems()}`,
    );
    killed.end('SIGKILL');
    await killed.ended;
    const worker = await startHost();

    const { code, stdout, stderr } = await run.ended;
    expect(JSON.parse(stdout || `"${stderr}"`)).toMatchObject({
      completed: 1,
      failed: 1,
      missing: 1,
      problems: [
        { custom_id: 'bad', reason: "Missing required parameter: 'model'." },
        { custom_id: 'lost', reason: 'the completed batch has no result' },
      ],
    });
    expect(code).toBe(1);
    const rows = (await readFile(results, 'utf8')).trim().split('\n');
    expect(rows.map((line) => JSON.parse(line).status)).toEqual(['completed', 'failed', 'missing']);
    expect(JSON.parse(rows[0] ?? '').response).toEqual({ text: 'yes' });
    expect(await batches()).toHaveLength(1);
    expect(api.stats().requests['batch-list']).toEqual({ 200: 2 });
    worker.end();
    expect((await worker.ended).code).toBe(0);
  }));
