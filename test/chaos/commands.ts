import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export const KEY = 'sk-local';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Commands {
  /** A directory that is deleted at the end. */
  readonly directory: string;
  /** Base URL of a local API whose key is `KEY`. */
  readonly url: string;
  /** Starts `longhaul` with these arguments, for the local API and an embedded server. */
  readonly start: (args: readonly string[]) => ChildProcess;
}

/** Starts a local API, and at the end kills all commands and deletes their files. */
export async function withCommands(run: (commands: Commands) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-commands-'));
  const children = new Set<ChildProcess>();
  const start = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.resume();
    child.stderr.resume();
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  };
  try {
    const api = start(['local-api', '--port', '0', '--key', KEY, '--data', join(directory, 'api')]);
    const url = await firstMatch(api.stderr, /(http:\/\/127\.0\.0\.1:\d+\/v1)/);
    const environment = { OPENAI_BASE_URL: url, OPENAI_API_KEY: KEY, LONGHAUL_STATE_DIR: join(directory, 'state') };
    await run({ directory, url, start: (args) => start(args, environment) });
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The first group of the first match in the output of a command. */
export function firstMatch(stream: Readable | null, pattern: RegExp): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = pattern.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    stream?.once('end', () => reject(new Error(`no line matches ${pattern}: ${text}`)));
  });
}
