import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { childEnvironment } from '../../config/child-environment.ts';
import { attempt } from '../../core/objects.ts';
import { openFileLimit } from '../../config/open-files.ts';
import { packageFiles } from '../../package-files.ts';
import { statePaths } from './state-files.ts';
import type { TemporalCli } from './temporal-process.ts';

const CLOSE_ON_EXEC = 0o2000000;
/** Shells use far lower descriptors. */
const MAX_DESCRIPTOR = 1023;

/** Starts the server process, which continues after this process. Its output is in the log of Temporal. */
export async function spawnServer(stateDir: string, cli: TemporalCli): Promise<ChildProcess> {
  const log = await open(statePaths(stateDir).log, 'a', 0o600);
  const nothing = await open(devNull, 'r');
  try {
    // With a pipe of this command, the program that writes into the pipe would not exit after a kill.
    const inherited = inheritedDescriptors();
    const others = Array.from({ length: Math.max(2, ...inherited) - 2 }, (_, index) =>
      inherited.includes(index + 3) ? nothing.fd : ('ignore' as const),
    );
    const child = spawn(process.execPath, [packageFiles.server, stateDir, cli.path, cli.version], {
      detached: true,
      cwd: stateDir,
      env: childEnvironment(),
      stdio: ['ignore', log.fd, log.fd, ...others],
    });
    child.unref();
    await once(child, 'spawn');
    return child;
  } finally {
    await Promise.all([log.close(), nothing.close()]);
  }
}

/** Descriptors that a shell gave this process, such as the pipe of `<(command)`: children inherit them. Linux only. */
function inheritedDescriptors(): number[] {
  // A child cannot get a descriptor from the limit on, which a program can have opened before it lowered the limit.
  const end = Math.min(MAX_DESCRIPTOR + 1, openFileLimit());
  const all = attempt(() => readdirSync('/proc/self/fdinfo')) ?? [];
  return all
    .filter(isInherited)
    .map(Number)
    .filter((fd) => fd > 2 && fd < end);
}

function isInherited(fd: string): boolean {
  // Undefined for the descriptor of the listing.
  const flags = attempt(() => /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]);
  return flags !== undefined && (parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
}
