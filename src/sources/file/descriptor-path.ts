import { fstatSync } from 'node:fs';
import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const MAX_LINKS = 40;
const STREAMS = ['/dev/stdin', '/dev/stdout', '/dev/stderr'];
const ACCESS_MODE = 3;

/**
 * Returns the file descriptor of this process that a path names, also through links: `/dev/stdin`, `/dev/fd/63`,
 * `/proc/self/fd/3`. A shell writes such a path for `<(command)`.
 */
export async function descriptorOf(path: string): Promise<number | undefined> {
  const named = new RegExp(`^(?:/dev/fd|/proc/(?:self|thread-self|${process.pid})/fd)/(\\d{1,6})$`);
  let place = resolve(path);
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const [, number] = named.exec(place) ?? [];
    if (number !== undefined) return Number(number);
    const target = await readlink(place).catch(() => undefined);
    if (target === undefined) break;
    place = resolve(dirname(place), target);
  }
  const stream = STREAMS.indexOf(place);
  return stream === -1 ? undefined : stream;
}

/**
 * Returns the path of the file or directory that a descriptor's path resolves to, so that Longhaul reads that file.
 * Otherwise returns the path itself, also for a deleted file, such as that of a here-document.
 */
export async function pathBehindDescriptor(path: string): Promise<string> {
  const fd = await descriptorOf(path);
  if (fd === undefined) return path;
  try {
    const opened = fstatSync(fd);
    const real = await realpath(path);
    const { dev, ino } = await stat(real);
    const isSame = dev === opened.dev && ino === opened.ino && (opened.isFile() || opened.isDirectory());
    return isSame && (await descriptorOf(real)) === undefined ? real : path;
  } catch {
    return path;
  }
}

/** Whether a descriptor can be read; true if the system does not report it. */
export async function isReadableDescriptor(fd: number): Promise<boolean> {
  return (await accessModeOf(String(fd))) !== 1;
}

/**
 * Whether this process can write into a pipe, which then never ends. Only Linux reports it.
 *
 * @param link of the pipe in `/proc/self/fd`: its path, or `pipe:[INODE]`
 */
export async function isWrittenHere(link: string): Promise<boolean> {
  for (const fd of await readdir('/proc/self/fd').catch(() => [])) {
    const other = await readlink(`/proc/self/fd/${fd}`).catch(() => undefined);
    if (other === link && ((await accessModeOf(fd)) ?? 0) !== 0) return true;
  }
  return false;
}

/** 0: reads, 1: writes, 2: both. */
async function accessModeOf(fd: string): Promise<number | undefined> {
  const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '');
  const [, flags] = /^flags:\s*([0-7]+)/m.exec(info) ?? [];
  return flags === undefined ? undefined : Number.parseInt(flags, 8) & ACCESS_MODE;
}
