import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { GiB, type Measurement, type Task } from '../measurement.ts';
import type { PartFiles } from '../setup/part-files.ts';
import { memoryOf } from '../setup/process-figures.ts';
import { pidOf } from '../setup/serving-process.ts';
import { certificatePath } from '../setup/sink.ts';
import type { Contender } from './contender.ts';

const MEMORY_INTERVAL_MS = 20;

/**
 * One process of curl sends each part as a form from a separate file, over persistent connections. Its time includes its
 * start (about 20 ms), because it cannot be warmed up.
 */
export function curl(partFiles: PartFiles, configPath: string): Contender {
  const pathsOf = ({ fileBytes, partBytes }: Task) => partFiles.pathsFor(fileBytes, partBytes);
  return {
    missing: async () =>
      promisify(execFile)('curl', ['--version']).then(
        () => undefined,
        () => 'curl is not on the PATH',
      ),
    prepare: async (task) => {
      await pathsOf(task);
    },
    measure: async (task) => {
      const paths = await pathsOf(task);
      await writeFile(configPath, paths.map((path) => transfer(task.baseUrl, path)).join('next\n'));
      const parallel = task.concurrency > 1 ? ['--parallel', '--parallel-max', String(task.concurrency)] : [];
      return timed(['--no-progress-meter', ...parallel, '--config', configPath], (paths.length * task.partBytes) / GiB);
    },
  };
}

/** Options of one transfer; `next` forgets them all. */
function transfer(baseUrl: string, path: string): string {
  return [
    `url = "${baseUrl}/uploads/upload_1/parts"`,
    `form = "data=@${path};filename=part;type=application/octet-stream"`,
    // It would wait a second for a 100 that many servers don't send.
    'header = "Expect:"',
    'header = "Authorization: Bearer bench"',
    `cacert = "${certificatePath}"`,
    'output = "/dev/null"',
    'fail',
    'http1.1',
    '',
  ].join('\n');
}

/** Runs curl in a shell, which prints the CPU time of a process in milliseconds. */
async function timed(args: readonly string[], gib: number): Promise<Measurement> {
  const shell = spawn('bash', ['-c', 'TIMEFORMAT=\'%3R %3U %3S\'; time curl "$@"', 'bash', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A locale may have another decimal point.
    env: { ...process.env, LC_ALL: 'C' },
  });
  let said = '';
  shell.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(shell, 'close') as Promise<[number]>;
  const peakRssMib = watchMemoryOfChild(pidOf(shell), closed);
  const [code] = await closed;
  if (code !== 0) throw new Error(`curl ended with status ${code}: ${said}`);
  const [seconds = NaN, user = NaN, system = NaN] = (said.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { gibPerSecond: gib / seconds, cpuSecondsPerGib: (user + system) / gib, peakRssMib: await peakRssMib };
}

async function watchMemoryOfChild(shellPid: number, closed: Promise<unknown>): Promise<number> {
  let most = 0;
  let isOver = false;
  void closed.then(() => (isOver = true));
  while (!isOver) {
    await setTimeout(MEMORY_INTERVAL_MS);
    const children = await readFile(`/proc/${shellPid}/task/${shellPid}/children`, 'latin1').catch(() => '');
    const memory = children.trim() ? await memoryOf(Number(children.trim())).catch(() => undefined) : undefined;
    // The memory of a process cannot be read after its exit.
    if (memory && memory.peakRssMib > most) most = memory.peakRssMib;
  }
  return most;
}
