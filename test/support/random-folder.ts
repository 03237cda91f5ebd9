import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { chmod, link, lutimes, mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { seededRandom } from '../../src/local-api/faults.ts';

/** What a sync must make of an entry. */
export type Fate =
  /** A File with these bytes. */
  | { readonly is: 'File'; readonly content: Buffer }
  /** In the report, with this reason. */
  | { readonly is: 'problem' | 'leftOut'; readonly reason: RegExp }
  /** Written to until `stop` is called: left for the next run. */
  | { readonly is: 'growing' }
  | { readonly is: 'excluded' };

export interface RandomFolder {
  /** By path as a listing shows it; several invalid names can have one path. */
  readonly fates: readonly (readonly [path: string, fate: Fate])[];
  readonly exclude: readonly string[];
  /** Starts to write to the growing files. Returns a function that stops. */
  readonly grow: () => () => void;
}

const PIECES = [
  'a',
  'Z',
  '7',
  ' ',
  'é',
  'e\u0301',
  '😀',
  '漢字',
  'ש',
  '(old)',
  '[1]',
  '{x,y}',
  "'",
  '"',
  '*',
  '?',
  '\\',
];
const MORE_PIECES = [
  '%20',
  '&',
  '#',
  '$HOME',
  '`',
  '|',
  ';',
  '~',
  '=',
  '+',
  ',',
  '@',
  '!',
  '<',
  '>',
  '\u200d',
  '\u2028',
];
const EXTENSIONS = ['', '.jsonl', '.txt', '.tar.gz', '.', '.JSONL'];
const SOCKET = 'not a regular file';
const TEN_YEARS_S = 315_360_000;

/** How many of 2,000 entries are of which kind; a result names 100 problems and 100 excluded entries. */
const SHARES = {
  file: 480,
  'hard link': 50,
  'link to a file': 50,
  excluded: 1120,
  'excluded link': 40,
  'excluded pipe': 20,
  empty: 45,
  pipe: 15,
  socket: 10,
  'link to a directory': 20,
  'dangling link': 20,
  loop: 10,
  unreadable: 20,
  'control character': 15,
  'not UTF-8': 12,
  'name in use': 8,
  growing: 6,
  'empty directory': 50,
} as const;
type Kind = keyof typeof SHARES;

/** Makes a folder of about that many entries. @param skipped kinds that this system cannot make */
export async function makeRandomFolder(
  root: string,
  { seed, entries }: { readonly seed: number; readonly entries: number },
  skipped: readonly Kind[],
): Promise<RandomFolder> {
  const random = seededRandom(seed);
  const below = (most: number) => Math.floor(random() * most);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  const fates: [string, Fate][] = [];
  const growing: string[] = [];
  const pipes: string[] = [];
  const sockets: string[] = [];
  let number = 0;
  // The number makes all names distinct, in each Unicode form. It is not part of an extension.
  const name = () => {
    const pieces = Array.from({ length: 1 + below(5) }, () => pick(random() < 0.6 ? PIECES : MORE_PIECES));
    return `${pick(['', '.', '-', ' '])}${pieces.join('')}${number++}${pick(EXTENSIONS)}`;
  };
  const folders = [''];
  for (let count = 0; count < 40; count++) {
    const parent = pick(folders);
    folders.push(parent === '' ? name() : `${parent}/${name()}`);
  }
  const skips = Array.from({ length: 5 }, () => `${pick(folders.slice(1))}/skip (old) [1]`);
  for (const folder of [...folders, ...skips]) await mkdir(join(root, folder), { recursive: true });
  const path = (folder = pick(folders)) => (folder === '' ? name() : `${folder}/${name()}`);
  const age = async (at: string) => {
    const seconds = Date.now() / 1000 - below(TEN_YEARS_S);
    await utimes(join(root, at), seconds, seconds);
  };
  const write = async (at: string, content: Buffer = contentOf(at, below)) => {
    await writeFile(join(root, at), content);
    await age(at);
    return content;
  };
  const files: (readonly [string, Buffer])[] = [];
  const makers: Readonly<Record<Kind, () => Promise<void>>> = {
    file: async () => {
      const at = path();
      const content = await write(at);
      files.push([at, content]);
      fates.push([at, { is: 'File', content }]);
    },
    'hard link': async () => {
      const [other, content] = pick(files);
      const at = path();
      await link(join(root, other), join(root, at));
      fates.push([at, { is: 'File', content }]);
    },
    'link to a file': async () => {
      const [other, content] = pick(files);
      const at = path();
      await symlink(join(root, other), join(root, at));
      await lutimes(join(root, at), below(1e9), below(1e9));
      fates.push([at, { is: 'File', content }]);
    },
    excluded: async () => {
      const at = random() < 0.5 ? path(pick(skips)) : `${path()}.part`;
      await write(at);
      fates.push([at, { is: 'excluded' }]);
    },
    'excluded link': async () => {
      const at = `${path()}.part`;
      await symlink('nowhere', join(root, at));
      fates.push([at, { is: 'excluded' }]);
    },
    'excluded pipe': async () => {
      const at = path(pick(skips));
      pipes.push(join(root, at));
      fates.push([at, { is: 'excluded' }]);
    },
    empty: async () => {
      const at = path();
      await write(at, Buffer.alloc(0));
      fates.push([at, { is: 'leftOut', reason: /is empty/ }]);
    },
    pipe: async () => {
      const at = path();
      pipes.push(join(root, at));
      fates.push([at, { is: 'leftOut', reason: new RegExp(SOCKET) }]);
    },
    socket: async () => {
      const at = path();
      sockets.push(join(root, at));
      fates.push([at, { is: 'leftOut', reason: new RegExp(SOCKET) }]);
    },
    'link to a directory': async () => {
      const at = path();
      await symlink(join(root, pick(folders)), join(root, at));
      fates.push([at, { is: 'leftOut', reason: /is a link to a directory that is listed already/ }]);
    },
    'dangling link': async () => {
      const at = path();
      await symlink(pick(['nowhere', '/nowhere/at/all', join(root, 'none')]), join(root, at));
      fates.push([at, { is: 'problem', reason: /does not exist/ }]);
    },
    loop: async () => {
      const [at, other] = [path(), path()];
      await symlink(join(root, other), join(root, at));
      await symlink(join(root, at), join(root, other));
      for (const one of [at, other]) fates.push([one, { is: 'problem', reason: /too many symbolic links/ }]);
    },
    unreadable: async () => {
      const at = path();
      await write(at);
      await chmod(join(root, at), 0);
      fates.push([at, { is: 'problem', reason: /permission denied/ }]);
    },
    'control character': async () => {
      const at = `${path()}${pick(['\n', '\t', '\r', '\u0001', '\u007f'])}x`;
      await write(at);
      fates.push([at, { is: 'problem', reason: /control characters/ }]);
    },
    'not UTF-8': async () => {
      const at = path();
      const bytes = Buffer.concat([Buffer.from(join(root, at)), Buffer.from(pick([[0xff], [0xc3], [0xe9, 0x2e]]))]);
      await writeFile(bytes, 'x');
      const shown = bytes.toString().slice(root.length + 1);
      fates.push([shown, { is: 'problem', reason: /not UTF-8/ }]);
    },
    'name in use': async () => {
      // Their Files would have one name: that of the path that sorts first.
      const folder = name();
      const [first, second] = [`${folder}/x`, `${folder}__x`];
      await mkdir(join(root, folder));
      fates.push([first, { is: 'File', content: await write(first) }]);
      await write(second);
      fates.push([second, { is: 'problem', reason: /as that of/ }]);
    },
    growing: async () => {
      const at = path();
      await write(at);
      growing.push(at);
      fates.push([at, { is: 'growing' }]);
    },
    'empty directory': async () => {
      await mkdir(join(root, path()));
    },
  };
  for (const [kind, share] of Object.entries(SHARES) as [Kind, number][]) {
    if (skipped.includes(kind)) continue;
    for (let count = 0; count < (share * entries) / 2000; count++) await makers[kind]();
  }
  execFileSync('mkfifo', pipes);
  await makeSockets(dirname(root), sockets);
  const grow = () => {
    const timer = setInterval(() => {
      for (const at of growing) appendFileSync(join(root, at), '+');
    }, 8);
    return () => clearInterval(timer);
  };
  return { fates, exclude: ['*.part', '**/skip (old) \\[1\\]/'], grow };
}

function contentOf(path: string, below: (most: number) => number): Buffer {
  return Buffer.from(`${path}\n`.repeat(1 + below(4)));
}

/** The path of a socket has at most 107 bytes: it gets its name later. */
async function makeSockets(directory: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const short = join(directory, 's');
    const server = createServer().listen(short);
    await once(server, 'listening');
    await rename(short, path);
    server.close();
    await once(server, 'close');
  }
}
