import { execFile } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../support/cache-directory.ts';
import type { Measurement } from '../measurement.ts';
import { readThrough } from '../setup/bench-file.ts';
import { certificatePath } from '../setup/sink.ts';
import type { Contender } from './contender.ts';

export const OPENAI_PYTHON_VERSION = '3.54.0';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../children/upload_chunked.py', import.meta.url));
const environment = join(cacheDirectory, `bench-openai-python-${OPENAI_PYTHON_VERSION}`);
const python = join(environment, 'bin/python');

/** `upload_file_chunked` of openai-python, which sends one part after the other. Installed at its first use. */
export function openaiPython(): Contender {
  return {
    missing: () =>
      install().then(
        () => undefined,
        (error: unknown) => `openai-python can't be installed (${(error as Error).message.split('\n')[0]})`,
      ),
    prepare: ({ path }) => readThrough(path),
    measure: async ({ baseUrl, path, partBytes, concurrency }) => {
      if (concurrency !== 1) throw new Error('upload_file_chunked sends one part at a time');
      const { stdout } = await run(python, [script, baseUrl, path, String(partBytes)], {
        env: { ...process.env, SSL_CERT_FILE: certificatePath },
      });
      return JSON.parse(stdout) as Measurement;
    },
  };
}

/** A separate environment in Longhaul's cache. The marker is written last. */
async function install(): Promise<void> {
  const marker = join(environment, 'lib', 'is-complete');
  if (
    await access(marker).then(
      () => true,
      () => false,
    )
  )
    return;
  await run('python3', ['-m', 'venv', '--clear', environment]);
  await run(python, ['-m', 'pip', 'install', '--quiet', `openai==${OPENAI_PYTHON_VERSION}`]);
  await run(python, ['-c', 'from openai.resources.uploads import Uploads; Uploads.upload_file_chunked']);
  await writeFile(marker, '');
}
