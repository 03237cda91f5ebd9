import { fstatSync } from 'node:fs';
import { lstat, readdir, readlink, realpath, readFile, stat } from 'node:fs/promises';
import { join, basename, dirname, resolve, sep } from 'node:path';
import { nameKey } from '../../core/text/name-form.ts';

/**
 * Returns the path of a file or directory in the Unicode form of the disk: a user types NFC, and macOS can store NFD.
 * Returns the path unchanged if it exists, or if no entry or several entries match.
 */
export async function pathOnDisk(path: string): Promise<string> {
  if (nameKey(path) === path && path === path.normalize('NFD')) return path;
  if (await exists(path)) return path;
  let found = path.startsWith('/') ? '/' : '';
  for (const segment of path.split('/').filter((one) => one !== '')) {
    const next = join(found, segment);
    if (await exists(next)) {
      found = next;
      continue;
    }
    const entries = await readdir(found || '.').catch(() => []);
    const [only, ...others] = entries.filter((entry) => nameKey(entry) === nameKey(segment));
    if (only === undefined || others.length > 0) return path;
    found = join(found, only);
  }
  return found;
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Returns the real path, also if nothing exists there, by resolving the existing links. Therefore a missing path that is
 * not permitted cannot be distinguished from an existing one.
 */
export async function realPlace(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    if (parent === path) return path;
    const folder = await realPlace(parent, links);
    const place = join(folder, basename(path));
    const target = links < MAX_LINKS ? await readlink(place).catch(() => undefined) : undefined;
    return target === undefined ? place : realPlace(resolve(folder, target), links + 1);
  }
}

/** Whether an absolute path is one of `places`, or in one of them. */
export function isInOneOf(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(place.endsWith(sep) ? place : `${place}${sep}`));
}

/** The limit of Linux. */
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
