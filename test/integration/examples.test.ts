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

/** A process with programs of the examples. */
function start(code: string, environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [...shortLived, '--input-type=module', '--eval', code], {
    cwd: project,
    env: cleanEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([exitCode]) => {
    running.delete(child);
    return { code: exitCode as number | null, stdout, stderr };
  });
  const end = (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') => child.kill(signal);
  return { said: () => stdout, problems: () => stderr, end, ended };
}

/**
 * Runs programs with their arguments, one after the other, in one process: a process for each takes half a second of CPU
 * time. Prints the exit code of each.
 */
function startPrograms(environment: Readonly<Record<string, string>>, ...programs: readonly (readonly string[])[]) {
  const steps = programs.map(
    ([path, ...args], index) => `process.argv.splice(1, Infinity, '${path}', ...${JSON.stringify(args)});
      await import('./${path}?${index}');
      console.log('exit code', process.exitCode ?? 0);
      process.exitCode = 0;`,
  );
  return start(steps.join('\n'), environment);
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

/** Sets task queues of this test in the files of an example. */
async function setQueues(example: string, taskQueue: string, queues: readonly string[]): Promise<void> {
  const directory = join(project, example);
  for (const file of (await readdir(directory)).filter((name) => /\.[jt]s$/.test(name))) {
    const text = await readFile(join(directory, file), 'utf8');
    const replaced = queues.reduce((all, queue) => all.replaceAll(`'${queue}',`, `'${queue}-${taskQueue}',`), text);
    // Without it, workflows wait ten seconds for the cache of a killed worker.
    const sticky = "plugins: [longhaul], stickyQueueScheduleToStartTimeout: '1 second',";
    await writeFile(join(directory, file), replaced.replace('plugins: [longhaul],', sticky));
  }
}

/** Starts the hosts of examples in one process. */
async function startHosts(environment: Readonly<Record<string, string>>, ...names: readonly string[]) {
  const imports = names.map((name) => `import('./${name}/host.js')`);
  const hosts = start(`await Promise.all([${imports.join()}])`, environment);
  await until(
    () => hosts.said().match(/running/g)?.length === names.length,
    () => `the hosts: ${hosts.problems()}`,
  );
  return hosts;
}

/** A request of a batch, with the rest of its body. */
function batchLine(id: string, input: string): string {
  const body = { model: 'm', input };
  return `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/responses', body })}\n`;
}

it('the examples of a service and of a nightly job run from the packed package', () =>
  withSystem(async ({ client, directory, environment, download, startWorker }) => {
    const host = 'examples';
    await startWorker({ host });
    const data = join(directory, 'data');
    await mkdir(data);
    const content = Buffer.from(
      Array.from({ length: 3000 }, (_, n) => batchLine(String(n), 'x'.repeat(1000))).join(''),
    );
    await writeFile(join(data, 'train.jsonl'), content);

    const env = { ...environment, LONGHAUL_HOST: host, TRAINING_DATA: data, PORT: '0' };
    const service = startPrograms(env, ['http-service/server.js'], ['nightly-job/job.js']);
    await until(() => service.said().includes('is set'), 'the service and the schedule');
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
    const { id, events } = (await (await post({ path: join(data, 'train.jsonl') })).json()) as Record<string, string>;
    const stream = await (await fetch(`${url}${events}`)).text();
    expect(stream).toContain('event: completed');
    const fileId = /"id":"(file-\w+)"/.exec(stream)?.[1] ?? '';
    expect(md5(await download(fileId))).toBe(md5(content));
    expect((await fetch(`${url}/uploads/${id}`, { method: 'DELETE' })).status).toBeOneOf([204, 404, 500]);
    service.end();
    expect(await service.ended).toMatchObject({ code: 0, stderr: '' });

    const { schedules } = client;
    await schedules.trigger('nightly-training-data');
    await until(async () => (await schedules.check('nightly-training-data')).healthy, 'a run of the schedule');
    expect(await startPrograms(env, ['nightly-job/job.js'], ['nightly-job/job.js', 'check']).ended).toEqual({
      code: 0,
      stdout: 'schedule nightly-training-data is set\nexit code 0\nhealthy\nexit code 0\n',
      stderr: '',
    });
    await schedules.delete('nightly-training-data');
  }));

it('the examples with hosts complete, and create one batch if the host is killed after the call that creates it', () =>
  withSystem(async ({ api, directory, download, environment, taskQueue }) => {
    expect(await compileProject(project, ['batch-workflow/workflows.ts'])).toEqual([]);
    await setQueues('batch-workflow', `batch-${taskQueue}`, ['longhaul', 'batches']);
    await setQueues('guest-worker', `guest-${taskQueue}`, ['longhaul', 'reports']);
    const reports = join(directory, 'reports');
    const env = { ...environment, BATCHES: directory, POLL_INTERVAL: '1 seconds', REPORTS: reports };
    const name = basename(directory);
    const request = (id: string, body: object) =>
      `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/responses', body })}\n`;
    const requests = join(directory, `requests-${name}.jsonl`);
    const results = join(directory, 'results.jsonl');
    await writeFile(requests, request('good', { model: 'm' }) + request('bad', {}) + request('lost', { model: 'm' }));

    // The service creates the batch, and no client receives its ID. Later, its output has a row less.
    api.faults.add({ route: 'batch-create', kind: 'lost-answer' });
    const row = { custom_id: 'good', response: { status_code: 200, body: { text: 'yes' } }, error: null };
    api.faults.add({ route: 'content', kind: 'alter', text: JSON.stringify(row) });
    const killed = await startHosts(env, 'batch-workflow');
    const run = startPrograms(env, ['batch-workflow/run.js', requests, results], ['guest-worker/publish.js', name]);
    const batches = () => readdir(join(directory, 'api', 'batches'));
    await until(
      async () => (await batches()).length > 0,
      () => `a batch: ${killed.problems()}`,
    );
    killed.end('SIGKILL');
    await killed.ended;
    const hosts = await startHosts(env, 'batch-workflow', 'guest-worker');

    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [report, exitOfRun, fileId, exitOfPublish] = stdout.split('\n') as [string, string, string, string];
    expect(JSON.parse(report)).toMatchObject({
      completed: 1,
      failed: 1,
      missing: 1,
      problems: [
        { custom_id: 'bad', reason: "Missing required parameter: 'model'." },
        { custom_id: 'lost', reason: 'the completed batch has no result' },
      ],
    });
    expect([exitOfRun, exitOfPublish]).toEqual(['exit code 1', 'exit code 0']);
    const rows = (await readFile(results, 'utf8')).trim().split('\n');
    expect(rows.map((line) => JSON.parse(line).status)).toEqual(['completed', 'failed', 'missing']);
    expect(JSON.parse(rows[0] ?? '').response).toEqual({ text: 'yes' });
    expect(await batches()).toHaveLength(1);
    expect(api.stats().requests['batch-list']).toEqual({ 200: 2 });
    expect(JSON.parse((await download(fileId)).toString())).toMatchObject({ custom_id: '1' });
    hosts.end();
    expect((await hosts.ended).code).toBe(0);
  }));
