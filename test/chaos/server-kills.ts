import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { receive, type ServerMessage, connectTo, socketNumbers } from '../../src/dev/server/socket.ts';
import { startLocalApi } from '../../src/local-api/index.ts';
import { runCli, startCli, type CliRun } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { findTemporal, serverProcesses, withStateDir } from '../support/state-dir.ts';
import { withTempDir } from '../support/temp-dir.ts';

const MiB = 1024 * 1024;
const KEY = 'sk-kills';
const LANES = 2;
const PARTS = 4;
/** After a few kills in a row, a command reports that Temporal exits too often, and is run again. */
/** Exit code of Node.js if nothing keeps the process running while the command still waits. */
const UNSETTLED = 13;
const MAX_RUNS = 100;

export interface KillCounts {
  command: number;
  server: number;
  temporal: number;
}

export interface ServerKillsReport {
  readonly kills: KillCounts;
  readonly uploads: number;
  /** Times that a command was run again after a kill. */
  readonly repeats: number;
  /** Other ends of commands: exit status and the last line. */
  readonly failures: readonly string[];
  /** Each is a violation. */
  readonly problems: readonly string[];
}

/**
 * Uploads files by commands that share the embedded server, and kills commands, the server process and Temporal at random
 * with SIGKILL. Afterwards, each file must be one File with the same content, at most one server must have been ready at a
 * time, and no process must be left.
 *
 * @param report receives a line for each kill and each end of a command
 * @param killsEach number of kills of each of the three
 * @param processes number of lanes whose commands are processes, which can be killed. The others run in this process.
 */
export async function runServerKills(
  killsEach: number,
  maxPauseMs = 3_000,
  report: (line: string) => void = () => {},
  processes = LANES,
): Promise<ServerKillsReport> {
  const kills: KillCounts = { command: 0, server: 0, temporal: 0 };
  const problems: string[] = [];
  const failures: string[] = [];
  const running: (CliRun | undefined)[] = Array.from({ length: processes });
  let uploads = 0;
  let repeats = 0;
  const isDone = () => Object.values(kills).every((count) => count >= killsEach);

  const uploadAndKill = async (stateDir: string, directory: string) => {
    const api = await startLocalApi({ dataDir: join(directory, 'api'), apiKey: KEY, bandwidthBytesPerSecond: 4 * MiB });
    const environment = {
      LONGHAUL_STATE_DIR: stateDir,
      LONGHAUL_LINGER: '1',
      OPENAI_BASE_URL: api.url,
      OPENAI_API_KEY: KEY,
    };

    const uploadFile = async (lane: number, number: number) => {
      const name = `lane-${lane}-${number}.bin`;
      const path = join(directory, name);
      const content = await randomFile(path, PARTS * MiB);
      const words = [
        'upload',
        path,
        '--purpose',
        'assistants',
        '--part-size',
        '1MiB',
        '--heartbeat-timeout',
        '2s',
        '--json',
      ];
      for (let runs = 1; ; runs += 1) {
        const run = async () => (running[lane] = startCli(words, environment)).ended;
        const { code, signal, stdout, stderr } = await (lane < processes ? run() : runCli(words, environment));
        report(`${name}: ${code ?? signal} ${stderr.replaceAll('\n', ' | ')}`);
        if (lane < processes) running[lane] = undefined;
        if (code === 0) {
          const { file } = JSON.parse(stdout) as { readonly file: { readonly id: string } };
          const response = await fetch(`${api.url}/files/${file.id}/content`, {
            headers: { authorization: `Bearer ${KEY}` },
          });
          const received = md5(Buffer.from(await response.arrayBuffer()));
          if (received !== md5(content)) problems.push(`${name}: the File has other content`);
          const completed = api.stats().uploads.filter((one) => one.filename === name && one.status === 'completed');
          if (completed.length !== 1) problems.push(`${name}: ${completed.length} completed Uploads`);
          uploads += 1;
          return;
        }
        if (runs === MAX_RUNS) {
          problems.push(`${name}: lost. ${stderr}`);
          return;
        }
        repeats += 1;
        if (code === UNSETTLED) problems.push(`${name}: exited before its end. ${stderr}`);
        if (signal !== 'SIGKILL') failures.push(`${code ?? signal}: ${stderr.trim().split('\n').at(-1)}`);
      }
    };
    const runLane = async (lane: number) => {
      for (let number = 0; !isDone(); number += 1) await uploadFile(lane, number);
    };

    const targets: Readonly<Record<keyof KillCounts, () => number | undefined>> = {
      command: () => running.filter((run) => run !== undefined).at(Math.random() < 0.5 ? 0 : -1)?.child.pid,
      server: () => serverProcesses(stateDir)[0],
      temporal: () => findTemporal(stateDir),
    };
    const kill = async () => {
      while (!isDone()) {
        await delay(Math.random() * maxPauseMs);
        const kinds = (Object.keys(kills) as (keyof KillCounts)[]).filter((kind) => kills[kind] < killsEach);
        const kind = kinds[Math.floor(Math.random() * kinds.length)];
        const pid = kind && targets[kind]();
        if (pid === undefined) continue;
        try {
          process.kill(pid, 'SIGKILL');
          kills[kind as keyof KillCounts] += 1;
          report(`killed ${kind} (${pid})`);
        } catch {
          // It has just exited.
        }
      }
    };
    let isWatching = true;
    const watch = async () => {
      while (isWatching) {
        const ready = await readyServers(stateDir);
        if (ready.length > 1) problems.push(`servers ${ready.join(' and ')} are ready at the same time`);
        await delay(100);
      }
    };

    const watching = watch();
    try {
      await Promise.all([kill(), ...Array.from({ length: LANES }, (_, lane) => runLane(lane))]);
    } finally {
      isWatching = false;
      await watching;
      for (const run of running) run?.child.kill('SIGKILL');
    }
    // A kill of the server process without a command leaves Temporal to the next command.
    const last = await runCli(['list'], { ...environment, LONGHAUL_LINGER: '0' });
    if (last.code !== 0) problems.push(`longhaul list: ${last.stderr}`);
    const left = [findTemporal(stateDir), ...serverProcesses(stateDir)].filter((pid) => pid !== undefined);
    if (left.length > 0) problems.push(`processes ${left.join(', ')} are left`);
    await api.close();
  };
  await withTempDir((directory) => withStateDir((stateDir) => uploadAndKill(stateDir, directory)));
  return { kills, uploads, repeats, failures, problems };
}

/** Returns the numbers of the servers that report that they are ready. */
async function readyServers(stateDir: string): Promise<number[]> {
  const ready: number[] = [];
  for (const number of await socketNumbers(stateDir)) {
    const socket = await connectTo(stateDir, number);
    if (!socket) continue;
    const state = await new Promise((resolve) => {
      socket.setTimeout(1_000, () => resolve(undefined));
      receive<ServerMessage>(socket, (message) => resolve(message.state));
      socket.once('error', () => {}).once('close', () => resolve(undefined));
    });
    socket.destroy();
    if (state === 'ready') ready.push(number);
  }
  return ready;
}
