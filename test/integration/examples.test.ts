import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { cleanEnvironment } from '../support/cli.ts';
import { installPackedPackage } from '../support/packed-package.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** Programs that a failed test has not stopped. */
const running = new Set<ChildProcess>();
afterEach(() => running.forEach((child) => child.kill('SIGKILL')));

/** A program of an example, as its user starts it. */
function start(directory: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, args, {
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
  return { said: () => stdout, problems: () => stderr, end: () => child.kill('SIGTERM'), ended };
}

it('the examples run from the packed package', () =>
  withSystem(async (system) => {
    const { directory, environment, download, startWorker, taskQueue } = system;
    const project = join(directory, 'project');
    await mkdir(project);
    await installPackedPackage(project);
    await symlink(join(modules, 'fastify'), join(project, 'node_modules', 'fastify'));
    await cp(examples, project, { recursive: true });
    const host = 'examples';
    const env = { ...environment, LONGHAUL_HOST: host };
    await startWorker({ host });
    await mkdir(join(directory, 'data'));
    const content = await randomFile(join(directory, 'data', 'train.jsonl'), 3 * MiB);

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
    await mkdir(reports);
    const guest = { ...env, REPORTS: reports };
    for (const file of ['host.js', 'workflows.js', 'publish.js']) {
      const path = join(project, 'guest-worker', file);
      const text = (await readFile(path, 'utf8')).replace("'longhaul',", `'guest-${taskQueue}',`);
      await writeFile(path, text.replace("'reports',", `'reports-${taskQueue}',`));
    }
    const worker = start(join(project, 'guest-worker'), ['host.js'], guest);
    await until(
      () => worker.said().includes('running'),
      () => `the host: ${worker.problems()}`,
    );
    const name = basename(directory);
    const published = await start(join(project, 'guest-worker'), ['publish.js', name], guest).ended;
    expect((await download(published.stdout.trim())).toString()).toBe('{"custom_id": "1"}\n');
    worker.end();
    expect((await worker.ended).code).toBe(0);
  }));
