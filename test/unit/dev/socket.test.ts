import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connectTo, receive, withSocketPath } from '../../../src/dev/server/socket.ts';
import { until } from '../../support/until.ts';
import { withTempDir } from '../../support/temp-dir.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the socket of a state directory with a long path', () => {
  it.each<[string, (directory: string) => string]>([
    ['is usable', (directory) => join(directory, 'tmp')],
    ['is missing', (directory) => join(directory, 'no-tmp')],
    ['is a file', () => '/proc/version'],
    ['has a long path', (directory) => join(directory, 'x'.repeat(110))],
    ['is empty', () => ''],
  ])('is reachable if TMPDIR %s', (_name, temporary) =>
    withTempDir(async (directory) => {
      await mkdir(join(directory, 'tmp'));
      const stateDir = join(directory, 'x'.repeat(110), 'state');
      await mkdir(stateDir, { recursive: true });
      vi.stubEnv('TMPDIR', temporary(directory));
      const server = createServer();
      await withSocketPath(stateDir, 1, async (path) => {
        await once(server.listen(path), 'listening');
      });
      try {
        expect(await readdir(stateDir)).toEqual(['server.1.sock']);
        const socket = await connectTo(stateDir, 1);
        expect(socket).toBeDefined();
        socket?.destroy();
        expect(await readdir(join(directory, 'tmp'))).toEqual([]);
      } finally {
        server.close();
      }
    }),
  );
});

it.skipIf(process.platform !== 'linux')('connects although too many connections wait for the server', () =>
  withTempDir(async (directory) => {
    const server = createServer().listen({ path: join(directory, 'server.1.sock'), backlog: 1 });
    await once(server, 'listening');
    const sockets = await Promise.all(Array.from({ length: 10 }, () => connectTo(directory, 1)));
    expect(sockets).not.toContain(undefined);
    for (const socket of sockets) socket?.destroy();
    server.close();
  }),
);

it('a process that sends no line is disconnected, and the lines of others arrive in any chunks', () =>
  withTempDir(async (directory) => {
    const received: unknown[] = [];
    const server = createServer((socket) => receive(socket, (message) => received.push(message)));
    await once(server.listen(join(directory, 'server.1.sock')), 'listening');
    const socket = await connectTo(directory, 1);
    socket?.write('{"pid":');
    await setImmediate();
    socket?.write('1}\n"text"\nnull\n\u0000{\n{"pid":2}\n');
    await until(() => received.length === 2, 'both messages');
    expect(received).toEqual([{ pid: 1 }, { pid: 2 }]);
    socket?.resume().write('x'.repeat(1024 * 1024));
    await until(() => socket?.destroyed === true, 'the end of the connection');
    server.close();
  }));
