import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../support/cli.ts';
import { compileProject, installPackedPackage } from '../support/packed-package.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { expectNone, readSnippets, type Snippet } from '../support/snippets.ts';
import { KEY, MiB, withSystem } from '../support/system.ts';

/** Values that a page leaves to its reader. A snippet that uses one names it after its fence: `ts given longhaul`. */
const givens: Readonly<Record<string, string>> = {
  longhaul: "declare const longhaul: import('longhaul').LonghaulClient;",
  connection: "declare const connection: import('@temporalio/worker').NativeConnection;",
  destinations: "declare const destinations: import('longhaul/worker').WorkerOptions['destinations'];",
};

const snippets = readSnippets();
const programs = snippets.filter(({ language }) => language === 'ts');
const results = snippets.filter(
  ({ language, text }) => language === 'json' && text.includes('"workflowId"') && text.includes('"file"'),
);
const fileOf = ({ place }: Snippet) => `${place.replaceAll(/\W+/g, '-')}.ts`;

let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'longhaul-test-'));
  await installPackedPackage(project);
});
afterAll(() => rm(project, { recursive: true, force: true }));

describe('the snippets of the README and of docs, with the packed package', () => {
  it('compile, if they are TypeScript', async () => {
    const problems = programs.flatMap(({ place, note }) => {
      const isKnown = note === 'fragment' || note === '' || note.startsWith('given ');
      const unknown = note.startsWith('given ') ? namesOf(note).filter((name) => !(name in givens)) : [];
      return isKnown && unknown.length === 0 ? [] : [`${place}: unknown words after the language: ${note}`];
    });
    expectNone(problems, `known are: fragment, given ${Object.keys(givens).join(' ')}`);
    const fragments = programs.filter(({ note }) => note === 'fragment').map(({ place }) => place);
    expect(fragments.length, `few snippets may be left out as fragments: ${fragments.join(', ')}`).toBeLessThan(3);

    const whole = programs.filter(({ note }) => note !== 'fragment');
    expect(whole.length).toBeGreaterThan(8);
    for (const snippet of whole) {
      const before = namesOf(snippet.note).map((name) => givens[name]);
      // Before the first line, so that the compiler's line numbers are those of the snippet.
      await writeFile(join(project, fileOf(snippet)), `export {}; ${before.join(' ')} ${snippet.text}`);
    }
    expectNone(
      await compileSnippets(whole),
      'correct the snippet. A value that the page leaves to its reader is named after the fence (```ts given longhaul, ' +
        'see givens in this test); a piece of a larger file, which cannot compile, is a ```ts fragment',
    );
  });

  it('have the properties of a result, if they are one', async () => {
    expect(results.length).toBeGreaterThanOrEqual(2);
    for (const snippet of results) {
      const type = snippet.text.includes('"resumed"')
        ? 'UploadResult & { source: string; resumed: boolean }'
        : 'UploadResult';
      const source = `import type { UploadResult } from 'longhaul'; export const result: ${type} = ${snippet.text};`;
      await writeFile(join(project, fileOf(snippet)), source);
    }
    expectNone(await compileSnippets(results), 'correct the snippet, or the type UploadResult');
  });
});

/** Compiles them, also as strictly as a project can ask for. @returns errors at the lines of their pages */
async function compileSnippets(some: readonly Snippet[]): Promise<string[]> {
  const strictest = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
  const files = some.map(fileOf);
  const lines = await compileProject(project, files);
  return (lines.length > 0 ? lines : await compileProject(project, files, strictest)).map((line) => {
    const snippet = some.find((one) => line.startsWith(`${fileOf(one)}(`));
    const [, place, message] = /\((\d+),\d+\): (.*)/s.exec(line) ?? [];
    return snippet && place ? `${snippet.page}:${snippet.line + Number(place)}: ${message}` : line;
  });
}

function namesOf(note: string): string[] {
  return note.startsWith('given ') ? note.split(' ').slice(1) : [];
}

/** Each test runs the text of the snippets, with the addresses and paths of the test. */
describe('a project with the packed package', () => {
  it('uploads as the README shows, in plain JavaScript, with the worker of docs/services.md', () =>
    withSystem(async ({ temporalAddress, directory, api, download }) => {
      const here = { directory, temporalAddress, url: api.url };
      const content = await randomFile(join(directory, 'train.jsonl'), 12 * MiB);
      const worker = spawn(process.execPath, [await writeProgram('services-worker.mjs', 'await worker.run()', here)], {
        env: cleanEnvironment({ OPENAI_API_KEY: KEY }),
        stdio: 'ignore',
      });
      try {
        const source = await writeProgram(
          'readme.mjs',
          'upload.progress()',
          here,
          '\nconsole.log(JSON.stringify(file));',
        );
        const { stdout } = await runProgram(source, { TEMPORAL_ADDRESS: temporalAddress });
        const lines = stdout.trim().split('\n');
        const file = JSON.parse(lines.at(-1) as string) as { readonly id: string };
        expect(lines.at(-2)).toBe('COMPLETED');
        expect(lines.slice(0, -2).filter((line) => !/^\d+ of \d+$|^no response: /.test(line))).toEqual([]);
        expect(md5(await download(file.id))).toBe(md5(content));
      } finally {
        const ended = once(worker, 'exit');
        worker.kill('SIGTERM');
        expect(await ended).toEqual([0, null]);
      }
    }));

  it('runs the activities of docs/services.md in its own worker', () =>
    withSystem(async ({ temporalAddress, directory, taskQueue, api, download }) => {
      const here = { directory, temporalAddress, url: api.url };
      const content = await randomFile(join(directory, 'train.jsonl'), 12 * MiB);
      await writeFile(join(project, 'own-workflows.mjs'), "export * from 'longhaul/workflows';");
      const source = await writeProgram(
        'services-activities.mjs',
        'createActivities(',
        here,
        `
        import { NativeConnection, Worker } from '@temporalio/worker';
        import { LonghaulClient } from 'longhaul';
        const address = ${JSON.stringify(temporalAddress)}, taskQueue = ${JSON.stringify(taskQueue)};
        const connection = await NativeConnection.connect({ address });
        const workflowsPath = ${JSON.stringify(join(project, 'own-workflows.mjs'))};
        const worker = await Worker.create({ connection, taskQueue, workflowsPath, activities });
        const client = await LonghaulClient.connect({ connection: { address }, taskQueue });
        const source = { type: 'file', path: ${JSON.stringify(join(directory, 'train.jsonl'))} };
        await worker.runUntil(async () => {
          const upload = await client.upload({ source, purpose: 'batch', transferTaskQueue: taskQueue });
          console.log(JSON.stringify((await upload.result()).file));
        });
        await client.close();
        await connection.close();
        await destinations.close();`,
      );
      const { stdout } = await runProgram(source, { OPENAI_API_KEY: KEY });
      const file = JSON.parse(stdout.trim()) as { readonly id: string };
      expect(md5(await download(file.id))).toBe(md5(content));
    }));
});

interface Here {
  readonly directory: string;
  readonly temporalAddress: string;
  readonly url: string;
}

/** Writes the snippet that contains `part` as a program of the project, for this test's servers and folder. */
async function writeProgram(name: string, part: string, here: Here, rest = ''): Promise<string> {
  const [snippet, ...others] = programs.filter(({ text }) => text.includes(part));
  expect(others).toEqual([]);
  const path = join(project, name);
  const text = (snippet as Snippet).text
    .replaceAll("'/data", `'${here.directory}`)
    .replaceAll('temporal.internal:7233', here.temporalAddress)
    .replaceAll('https://api.openai.com/v1', here.url)
    .replaceAll(/(process\.env\.\w+)!/g, '$1');
  await writeFile(path, text + rest);
  return path;
}

function runProgram(path: string, environment: Readonly<Record<string, string>>) {
  return promisify(execFile)(process.execPath, [path], { env: cleanEnvironment(environment), timeout: 60_000 });
}
