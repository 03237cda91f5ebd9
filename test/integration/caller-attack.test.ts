import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { expect, it } from 'vitest';
import type { Source } from '../../src/contracts/sources.ts';
import type { SyncRequest, SyncResult } from '../../src/contracts/sync.ts';
import { beginWorker, startWorkerProcess } from '../support/cli.ts';
import { withHttpOrigin, type HttpOrigin } from '../support/http-origin.ts';
import { withProcessVariables } from '../support/process-variables.ts';
import { KEY, MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'assistants';
const SECRET = 'planted-secret-7f3a';
const SECRET_NAME = 'planted-name-91bc';
/** Size of what must not be listed, which no other file has. */
const SECRET_BYTES = 4711;

interface Target {
  readonly data: string;
  readonly outside: string;
  readonly keyFile: string;
  readonly config: string;
}

/** Starts a worker as it is documented, with all that it guards within its own root or a link away from it. */
async function startTarget(system: System): Promise<Target> {
  const [data, outside] = [join(system.directory, 'data'), join(system.directory, 'outside')];
  await mkdir(join(data, 'sub'), { recursive: true });
  await mkdir(outside);
  await mkdir(join(system.directory, 'state'), { recursive: true });
  await writeFile(join(system.directory, 'state', 'seal-key'), SECRET);
  await writeFile(join(data, 'good.jsonl'), '{"good":true}\n');
  await writeFile(join(data, 'a'.repeat(40)), 'aim of a glob bomb');
  await writeFile(join(outside, SECRET_NAME), SECRET.padEnd(SECRET_BYTES, '.'));
  const keyFile = join(data, 'sub', 'key');
  await writeFile(keyFile, KEY);
  const config = join(data, 'sub', 'config.json');
  await writeFile(config, JSON.stringify({ sources: { http: { allowPrivate: ['127.0.0.1'] } } }));
  await symlink(join(outside, SECRET_NAME), join(data, 'link-to-file'));
  await symlink(outside, join(data, 'link-to-folder'));
  await symlink(join(outside, 'no-such'), join(data, 'link-to-nothing'));
  await symlink('/proc/self/environ', join(data, 'link-to-proc'));
  await symlink('/proc/self/root', join(data, 'link-to-root'));
  await link(keyFile, join(data, 'hard-link'));

  const { OPENAI_API_KEY: _key, LONGHAUL_ANY_SOURCE: _any, ...environment } = system.environment;
  const options = ['--root', data, '--bucket', 'good-*', '--http-host', 'good.example'];
  await beginWorker({ ...environment, OPENAI_API_KEY_FILE: keyFile, LONGHAUL_CONFIG: config }, ...options);
  return { data, outside, keyFile, config };
}

/** Starts a workflow by its name, as any program that reaches Temporal can. */
async function failureOf(system: System, name: string, request: unknown): Promise<string> {
  const handle = await start(system, name, request);
  const error = await handle.result().then(
    (result) => new Error(`it succeeded: ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof WorkflowFailedError)) throw error;
  const { message, type } = error.cause as Error & { readonly type: string };
  return `${type}: ${message}`;
}

function start({ client, taskQueue }: System, name: string, request: unknown) {
  return client.temporal.workflow.start(name, {
    workflowId: `attack-${crypto.randomUUID()}`,
    taskQueue,
    args: [request],
  });
}

async function sync(system: System, request: Omit<SyncRequest, 'purpose'>): Promise<SyncResult> {
  return (await start(system, 'syncSource', { purpose, ...request })).result() as Promise<SyncResult>;
}

async function attackSources(system: System, target: Target, origin: HttpOrigin): Promise<void> {
  const { data, outside, keyFile, config } = target;
  const secret = join(outside, SECRET_NAME);
  const file = (path: string): Source => ({ type: 'file', path });
  const oneByte = (path: string): Source => ({ type: 'file', path, range: { offsetBytes: 0, sizeBytes: 1 } });
  const notPermitted = /^SourceForbidden: this worker does not permit the file .*--root DIR/;
  const neverUploaded = /^SourceForbidden: cannot upload .*(?:belongs to the system|contains secrets)/;
  const attacks: [Source, RegExp][] = [
    [file(secret), notPermitted],
    [file('/etc/passwd'), notPermitted],
    // The error must not show whether it exists.
    [file(join(outside, 'no-such')), notPermitted],
    [file(`${data}/../outside/${SECRET_NAME}`), notPermitted],
    [file(join(data, 'link-to-file')), notPermitted],
    [file(join(data, 'link-to-folder', SECRET_NAME)), notPermitted],
    [file(join(data, 'link-to-folder', 'no-such')), notPermitted],
    [oneByte(secret), notPermitted],
    [oneByte(keyFile), neverUploaded],
    [file(keyFile), neverUploaded],
    [file(join(data, 'hard-link')), neverUploaded],
    [file(config), neverUploaded],
    [file(join(system.directory, 'state', 'seal-key')), neverUploaded],
    [file('/proc/self/environ'), neverUploaded],
    [file(join(data, 'link-to-proc')), neverUploaded],
    [file(join(data, 'link-to-root', secret)), notPermitted],
    [file('/dev/zero'), neverUploaded],
    [file('/sys/kernel/uevent_seqnum'), neverUploaded],
    [file(`${data}/good.jsonl\0.txt`), /^InvalidRequest: .* NUL byte in "path"/],
    [{ type: 's3', bucket: 'private', key: 'x' }, /^SourceForbidden: .* bucket private .*--bucket private/],
    [{ type: 's3', bucket: 'good-1', key: 'a/../../private/x' }, /^InvalidRequest: .*"\.\." segment in "key"/],
    [{ type: 's3', bucket: 'good-1/../private', key: 'x' }, /^InvalidRequest: .* bucket/],
    [{ type: 'http', url: `${origin.url}/x` }, /^SourceForbidden: .* host 127\.0\.0\.1.*--http-host 127\.0\.0\.1/],
    [{ type: 'http', url: 'http://168.63.129.16/metadata' }, /^SourceForbidden: .*168\.63\.129\.16/],
  ];
  const failures = await Promise.all(attacks.map(([source]) => failureOf(system, 'uploadFile', { source, purpose })));
  for (const [index, [source, expected]] of attacks.entries()) {
    expect(failures[index], JSON.stringify(source)).toMatch(expected);
  }
  expect(await failureOf(system, 'uploadSplitFile', { source: file(secret), purpose })).toMatch(notPermitted);
  expect(origin.requests).toEqual([]);
  expect(system.api.stats().uploads).toEqual([]);
  // It is not that nothing works.
  const handle = await start(system, 'uploadFile', { source: file(join(data, 'good.jsonl')), purpose });
  await expect(handle.result()).resolves.toMatchObject({ bytes: 14 });
}

/** A folder is listed without anything that its links lead out to, and globs of a caller block nothing. */
async function attackFolders(system: System, target: Target): Promise<void> {
  const uploadsBefore = system.api.stats().uploads.length;
  const folder = (path: string) => ({ type: 'folder', path }) as const;
  const notPermitted = /^SourceForbidden: .*--root DIR/;
  expect(await failureOf(system, 'syncSource', { source: folder(target.outside), purpose })).toMatch(notPermitted);
  expect(await failureOf(system, 'syncSource', { source: folder('/proc/self'), purpose })).toMatch(
    /^SourceForbidden: cannot upload /,
  );
  const linked = folder(join(target.data, 'link-to-folder'));
  expect(await failureOf(system, 'syncSource', { source: linked, purpose })).toMatch(notPermitted);

  const told = await sync(system, { source: folder(target.data), dryRun: true });
  expect(told.decisions?.map(({ path }) => path)).toEqual(['a'.repeat(40), 'good.jsonl']);
  expect(told.leftOut.map(({ path }) => path)).toEqual([
    'hard-link',
    'link-to-file',
    'link-to-folder',
    'link-to-nothing',
    'link-to-proc',
    'link-to-root',
    'sub/config.json',
    'sub/key',
  ]);
  for (const { message } of told.leftOut)
    expect(message).toMatch(/^(is a link to a target that is not permitted|belongs to)/);
  expect(JSON.stringify(told)).not.toMatch(new RegExp(`${SECRET_NAME}|${SECRET_BYTES}|outside|does not exist`));

  const bomb = `${'*?'.repeat(12)}Z`;
  const bombs = [[bomb], [`${'*a'.repeat(400)}Z`], [`{${'*a*b,'.repeat(90)}Z}`], ['{[,'.repeat(333)]];
  const startedAtMs = performance.now();
  const defused = await Promise.all(bombs.map((include) => sync(system, { source: folder(target.data), include })));
  for (const { counts } of defused) expect(counts.toSend.files).toBe(0);
  for (const include of [['a'.repeat(2000)], ['{a,b}'.repeat(10)], Array.from({ length: 200 }, () => '*')]) {
    const failure = await failureOf(system, 'syncSource', { source: folder(target.data), purpose, include });
    expect(failure).toMatch(/^InvalidRequest: "include" has/);
  }
  expect(performance.now() - startedAtMs, 'without a matcher that is bounded none of this ends').toBeLessThan(60_000);
  expect(system.api.stats().uploads).toHaveLength(uploadsBefore);
}

it('a worker with roots reads and sends only their files, for any workflow that a caller starts', () =>
  withHttpOrigin({ content: Buffer.from(SECRET) }, (origin) =>
    withSystem(async (system) => {
      const aws = {
        AWS_ENDPOINT_URL_S3: origin.url,
        AWS_ACCESS_KEY_ID: 'a',
        AWS_SECRET_ACCESS_KEY: 'b',
        AWS_REGION: 'us-east-1',
      };
      await withProcessVariables(aws, async () => {
        const target = await startTarget(system);
        await attackSources(system, target, origin);
        await attackFolders(system, target);
      });
    }),
  ));

it('a worker without permitted sources warns once, with the options', () =>
  withSystem(async (system) => {
    const { LONGHAUL_ANY_SOURCE: _any, ...environment } = system.environment;
    const worker = await startWorkerProcess(environment);
    const lines = () =>
      worker
        .said()
        .split('\n')
        .filter((line) => line.includes('this worker rejects'));
    // The SDK can write its log lines after the first line of the command.
    await until(() => lines().length > 0, 'the warning');
    const source = { type: 'file', path: join(system.directory, 'x') };
    await writeFile(source.path, Buffer.alloc(MiB));
    expect(await failureOf(system, 'uploadFile', { source, purpose })).toMatch(/^SourceForbidden: .*--root DIR/);
    expect(lines()).toEqual([
      expect.stringMatching(/files \(--root DIR\).*--bucket NAME.*--http-host HOST.*--any-source/),
    ]);
    expect(system.api.stats().uploads).toEqual([]);
  }));
