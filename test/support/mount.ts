import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';

/** Whether a file system can be mounted here: as root, outside a container that forbids it. */
export function canMount(): boolean {
  try {
    execFileSync('/usr/bin/unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Mounts a small disk for some time. */
export async function withMount(directory: string, options: string, run: () => Promise<void>): Promise<void> {
  await mkdir(directory, { recursive: true });
  execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]);
  try {
    await run();
  } finally {
    execFileSync('/bin/umount', ['--lazy', directory]);
  }
}
