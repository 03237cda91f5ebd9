import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { OPENAI_PYTHON_VERSION } from '../contenders/openai-python.ts';
import { GiB } from '../measurement.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Where, with what and how something was measured, in one line. */
export async function describeConditions(args: readonly string[]): Promise<string> {
  const [curl, openai, commit] = await Promise.all([curlVersion(), packageVersion('openai'), commitNow()]);
  const processors = cpus();
  return [
    `${processors.length} × ${processors[0]?.model.replaceAll(/\(R\)| Processor/g, '').trim() ?? 'unknown CPU'}`,
    `${(totalmem() / GiB).toFixed(0)} GiB`,
    `Linux ${release()}`,
    `Node ${process.version}`,
    `openai ${openai}`,
    `openai-python ${OPENAI_PYTHON_VERSION}`,
    ...(curl ? [curl] : []),
    `\`${['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ')}\``,
    `commit ${commit}`,
    new Date().toISOString().slice(0, 10),
  ].join(' · ');
}

async function curlVersion(): Promise<string | undefined> {
  return run('curl', ['--version']).then(
    ({ stdout }) => stdout.split(' ').slice(0, 2).join(' '),
    () => undefined,
  );
}

async function packageVersion(name: string): Promise<string> {
  const text = await readFile(`${root}/node_modules/${name}/package.json`, 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function commitNow(): Promise<string> {
  try {
    const { stdout: commit } = await run('git', ['-C', root, 'rev-parse', '--short', 'HEAD']);
    const { stdout: changes } = await run('git', [
      '-C',
      root,
      'status',
      '--porcelain',
      '--',
      ':!docs',
      ':!test/bench/baseline.json',
    ]);
    return `${commit.trim()}${changes.trim() ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
