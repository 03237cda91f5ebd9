import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as longhaul from 'longhaul';
import * as allErrors from 'longhaul/errors';
import * as activities from 'longhaul/activities';
import * as worker from 'longhaul/worker';
import * as sdk from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, shortLived } from '../support/cli.ts';
import { compileProject, installPackedPackage } from '../support/packed-package.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { expectNone, readInlineCode, readSnippets, type InlineCode, type Snippet } from '../support/snippets.ts';
import { KEY, MiB, withSystem } from '../support/system.ts';

/** Values that a page leaves to its reader. A snippet that uses one names it after its fence: `ts given longhaul`. */
const givens: Readonly<Record<string, string>> = {
  longhaul: "import('longhaul').LonghaulClient",
  handle: "import('longhaul').JobHandle<'upload'>",
  connection: "import('@temporalio/worker').NativeConnection",
  destinations: "import('longhaul/worker').WorkerOptions['destinations']",
  profiles: "readonly import('longhaul/worker').DestinationProfile[]",
  interceptors: "import('longhaul').ConnectOptions['interceptors'] & {}",
  namespace: 'string',
  taskQueue: 'string',
};
const declared = (names: readonly string[]): string =>
  names.map((name) => `declare const ${name}: ${givens[name]};`).join(' ');

const snippets = readSnippets();
const programs = snippets.filter(({ language }) => language === 'ts');
const whole = programs.filter(({ note }) => note !== 'fragment');
const results = snippets.filter(
  ({ language, text }) => language === 'json' && text.includes('"workflowId"') && text.includes('"file"'),
);

/** Tasks of a program with a worker that reads `/data`, without those that have a separate test. */
const others = programs.filter(
  ({ note, text }) => (note === 'given longhaul' && !/s3:|https?:/.test(text)) || text.includes('schedules.create('),
);

/** The module of each value that the package exports. */
const exported = new Map(
  Object.entries({
    'longhaul/errors': allErrors,
    longhaul,
    'longhaul/worker': worker,
    'longhaul/activities': activities,
  }).flatMap(([module, values]) => Object.keys(values).map((name) => [name, module] as const)),
);
const calls = readInlineCode().filter(({ text }) => {
  const [, start, rest] = /^(?:\w+: )?(?:await )?(\w+)(.*)/s.exec(text) ?? [];
  return (exported.has(start ?? '') || (start ?? '') in givens) && rest?.includes('(');
});

/** Each compiled file, by its place and text. They are compiled together, which takes a second. */
const sources = new Map<InlineCode, string>([
  // Before the first line, so that the compiler's line numbers are those of the snippet.
  ...whole.map((one) => [one, `export {}; ${declared(namesOf(one.note))} ${one.text}`] as const),
  ...results.map((one) => {
    const type = one.text.includes('"resumed"')
      ? 'UploadResult & { source: string; resumed: boolean }'
      : 'UploadResult';
    return [one, `import type { UploadResult } from 'longhaul'; export const result: ${type} = ${one.text};`] as const;
  }),
  ...calls.map((one) => {
    const isNamed = (name: string) => new RegExp(`\\b${name}\\b`).test(one.text);
    const imports = [...exported].filter(([name]) => isNamed(name));
    const before = imports.map(([name, module]) => `import { ${name} } from '${module}';`);
    const call = one.text.replace(/^\w+: /, '');
    return [one, `${before.join(' ')} ${declared(Object.keys(givens).filter(isNamed))} void (${call});`] as const;
  }),
]);

let project: string;
let compilerLines: readonly string[];
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'longhaul-test-'));
  await installPackedPackage(project);
  const files = [...sources.values()].map((text, index) => ({ name: `source-${index}.ts`, text }));
  for (const { name, text } of files) await writeFile(join(project, name), text);
  compilerLines = await compileProject(
    project,
    files.map(({ name }) => name),
  );
});
afterAll(() => rm(project, { recursive: true, force: true }));

describe('the snippets of the README and of docs, with the packed package', () => {
  it('compile, if they are TypeScript', () => {
    const problems = programs.flatMap(({ place, note }) => {
      const isKnown = note === 'fragment' || note === '' || note.startsWith('given ');
      return isKnown && namesOf(note).every((name) => name in givens)
        ? []
        : [`${place}: unknown words after the language: ${note}`];
    });
    expectNone(problems, `known are: fragment, given ${Object.keys(givens).join(' ')}`);
    const fragments = programs.filter(({ note }) => note === 'fragment').map(({ place }) => place);
    expect(fragments.length, `only a few snippets can be fragments: ${fragments.join(', ')}`).toBeLessThan(3);
    expect(whole.length).toBeGreaterThan(8);
    expectNone(
      problemsIn(whole),
      'correct the snippet. A value that the page leaves to its reader is named after the fence (```ts given longhaul, ' +
        'see givens in this test); a piece of a larger file, which cannot compile, is a ```ts fragment',
    );
  });

  it('have the properties of a result, if they are a result', () => {
    expect(results.length).toBeGreaterThanOrEqual(2);
    expectNone(problemsIn(results), 'correct the snippet, or the type UploadResult');
  });

  it('compile, if they are calls in a sentence', () => {
    expect(calls.length).toBeGreaterThan(5);
    expectNone(problemsIn(calls), 'correct the call in the sentence, or the API');
  });

  it('name only errors that the package or the official SDK exports', () => {
    const errors = readInlineCode().filter(
      ({ text }) => /^[A-Z]\w+Error$/.test(text) && !(text in globalThis) && !(text in sdk),
    );
    expect(errors.length).toBeGreaterThan(5);
    const unknown = errors.filter(({ text }) => !exported.has(text));
    expectNone(
      unknown.map(({ place, text }) => `${place}: no module of the package exports ${text}`),
      'correct the name in the sentence, or export the class in src/index.ts',
    );
  });

  it('are the only sources of compiler errors', () => {
    expect(compilerLines.filter((line) => !/^source-\d+\.ts\(|^ /.test(line))).toEqual([]);
  });
});

/** Errors of the compiler in some of the files, at the lines of their pages. */
function problemsIn(some: readonly (Snippet | InlineCode)[]): string[] {
  const all = [...sources.keys()];
  return compilerLines.flatMap((line) => {
    const [, index, lineInFile, message] = /^source-(\d+)\.ts\((\d+),\d+\): (.*)/s.exec(line) ?? [];
    const found = some.find((one) => one === all[Number(index)]);
    if (!found || index === undefined) return [];
    const place = 'note' in found ? `${found.page}:${found.line + Number(lineInFile)}` : found.place;
    return [`${place}: ${message}`];
  });
}

function namesOf(note: string): string[] {
  return note.startsWith('given ') ? note.split(' ').slice(1) : [];
}

/** Lines that the service accepts for fine-tuning. */
function trainingLines(sizeBytes: number): Buffer {
  const line = `${JSON.stringify({ prompt: 'x'.repeat(8000), completion: 'y' })}\n`;
  return Buffer.from(line.repeat(Math.ceil(sizeBytes / line.length)));
}

it('a project with the packed package runs the programs of the pages, also in plain JavaScript', () =>
  withSystem(async ({ temporalAddress, directory, taskQueue, api, download }) => {
    const here = { data: join(directory, 'data'), temporalAddress, url: api.url };
    await mkdir(here.data);
    const names = await makeData(others, here);
    const path = join(here.data, 'train.jsonl');
    const content = trainingLines(12 * MiB);
    await writeFile(path, content);
    await writeProgram('services-worker.mjs', 'void worker.shutdown()', here);
    await writeProgram('readme.mjs', '// the last event', here, '\nconsole.log(JSON.stringify(file));');

    const schedule = taskQueue;
    const blocks = others.map(({ text }) => `{ ${textFor(here, text).replaceAll('nightly', schedule)} }`);
    const imports = "import { LonghaulClient } from 'longhaul';";
    // With another time of the last change, the file is another one than that of the README.
    const program = `import { utimes } from 'node:fs/promises'; await utimes('${path}', 0, 0);
      ${imports} const longhaul = await LonghaulClient.connect();
      ${blocks.join('\n').replaceAll(imports, '')}
      await longhaul.schedules.delete('${schedule}');`;
    await writeFile(join(project, 'others.mjs'), program);

    const own = await randomFile(join(here.data, 'own.bin'), MiB);
    await writeFile(join(project, 'own-workflows.mjs'), "export * from 'longhaul/workflows';");
    await writeProgram(
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
      const source = { type: 'file', path: ${JSON.stringify(join(here.data, 'own.bin'))} };
      await worker.runUntil(async () => {
        const upload = await client.upload({ source, purpose: 'assistants', transferTaskQueue: taskQueue });
        console.log(JSON.stringify((await upload.result()).file));
      });
      await client.close();
      await connection.close();
      await destinations.close();`,
    );

    // The worker polls the queue of the others until the signal.
    await writeFile(
      join(project, 'programs.mjs'),
      `const worker = import('./services-worker.mjs');
      for (const name of ['readme', 'others', 'services-activities']) await import('./' + name + '.mjs');
      process.kill(process.pid, 'SIGTERM');
      await worker;`,
    );
    const stdout = await runProgram(join(project, 'programs.mjs'), {
      TEMPORAL_ADDRESS: temporalAddress,
      OPENAI_API_KEY: KEY,
    });
    const lines = stdout.trim().split('\n');
    const end = lines.indexOf('COMPLETED');
    expect(lines.slice(0, end).filter((line) => !/^\d+ of \d+$|^no response: /.test(line))).toEqual([]);
    const idIn = (line = '') => (JSON.parse(line) as { readonly id: string }).id;
    expect(md5(await download(idIn(lines[end + 1])))).toBe(md5(content));
    expect(md5(await download(idIn(lines.at(-1))))).toBe(md5(own));

    const headers = { authorization: `Bearer ${KEY}` };
    const { data } = (await (await fetch(`${api.url}/files`, { headers })).json()) as { data: { filename: string }[] };
    expect(names.filter((name) => !data.some(({ filename }) => filename.endsWith(name)))).toEqual([]);
  }));

interface Here {
  /** In the place of `/data`. */
  readonly data: string;
  readonly temporalAddress: string;
  readonly url: string;
}

/** Writes the snippet that contains `part` as a program of the project, for this test's servers and folder. */
async function writeProgram(name: string, part: string, here: Here, rest = ''): Promise<void> {
  const [snippet, ...more] = programs.filter(({ text }) => text.includes(part));
  expect(more).toEqual([]);
  await writeFile(join(project, name), textFor(here, (snippet as Snippet).text) + rest);
}

function textFor({ data, temporalAddress, url }: Here, text: string): string {
  return text
    .replaceAll("'/data", `'${data}`)
    .replaceAll('temporal.internal:7233', temporalAddress)
    .replaceAll('https://api.openai.com/v1', url)
    .replaceAll(/(process\.env\.\w+)!/g, '$1');
}

/** Makes what snippets name in `/data`: a file of each name with an extension, and folders with one. @returns names of Files */
async function makeData(some: readonly Snippet[], { data }: Here): Promise<string[]> {
  const paths = some.flatMap(({ text }) => [...text.matchAll(/'\/data\/([^']+)'/g)].map(([, path]) => path as string));
  const files = [...new Set(paths)].map((path) => (path.includes('.') ? path : `${path}/a.jsonl`));
  for (const file of files) {
    await mkdir(dirname(join(data, file)), { recursive: true });
    await appendFile(join(data, file), '{"line":1}\n');
  }
  return files.map((file) => basename(file));
}

async function runProgram(path: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const options = { env: cleanEnvironment(environment), timeout: 100_000 };
  return (await promisify(execFile)(process.execPath, [...shortLived, path], options)).stdout;
}
