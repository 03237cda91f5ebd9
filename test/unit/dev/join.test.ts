import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EmbeddedTemporalError } from '../../../src/dev/server/errors.ts';
import {
  acquireEmbeddedTemporal,
  type EmbeddedTemporal,
  type EmbeddedTemporalOptions,
} from '../../../src/dev/server/join.ts';
import { send, type ServerMessage } from '../../../src/dev/server/socket.ts';
import { packageFiles } from '../../../src/package-files.ts';
import { serverProcesses } from '../../support/state-dir.ts';
import { until } from '../../support/until.ts';
import { withTempDir } from '../../support/temp-dir.ts';

afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(packageFiles, { server });
});

const { server } = packageFiles;

const ready = (port: number): ServerMessage => ({ state: 'ready', address: `127.0.0.1:${port}`, pid: port });

const failed = (reason: string): ServerMessage => ({ state: 'failed', reason });

/** Listens as the server process of a state directory, which sends these messages to one client each. */
async function withServer(
  options: Partial<EmbeddedTemporalOptions>,
  messages: readonly ServerMessage[],
  body: (temporal: EmbeddedTemporal, sockets: readonly Socket[], lines: readonly string[]) => Promise<void>,
): Promise<void> {
  await withTempDir(async (stateDir) => {
    const sockets: Socket[] = [];
    const listener = createServer((socket) => {
      socket.resume().on('error', () => {});
      const message = messages[sockets.push(socket) - 1];
      if (message) send(socket, message);
      if (message?.state === 'failed') socket.end();
    }).listen(join(stateDir, 'server.1.sock'));
    await once(listener, 'listening');
    const lines: string[] = [];
    const cli = async () => Promise.reject(new Error('no server is to be started'));
    const log = (line: string) => lines.push(line);
    const temporal = await acquireEmbeddedTemporal({ stateDir, cli, log, retryMs: 5, ...options });
    try {
      await body(temporal, sockets, lines);
    } finally {
      listener.close();
      await temporal.release();
      for (const socket of sockets) socket.destroy();
    }
  });
}

describe('a command whose server fails', () => {
  it('tries again until a server is ready, and reports each cause once', () =>
    withServer({}, [ready(1), failed('full.'), failed('full.'), ready(1)], async (temporal, sockets, lines) => {
      send(sockets[0] as Socket, failed('broken'));
      sockets[0]?.end();
      await until(() => lines.length === 3, 'the server to be ready again');
      expect(temporal.address).toBe('127.0.0.1:1');
      expect(lines).toEqual([
        'broken. Trying again every 0.005 s.',
        'full. Trying again every 0.005 s.',
        'restarted the Temporal server at 127.0.0.1:1 (process 1)',
      ]);
    }));

  it('that is ready only after the command has ended keeps the process running until the connection ends', () =>
    withServer({}, [ready(1)], async (temporal, sockets, lines) => {
      sockets[0]?.destroy();
      await until(() => sockets.length === 2, 'the next connection');
      const unref = vi.spyOn(Socket.prototype, 'unref');
      const released = temporal.release();
      const [, next] = sockets as [Socket, Socket];
      const ended = once(next, 'end');
      send(next, ready(1));
      await ended;
      next.end();
      await released;
      expect(unref).not.toHaveBeenCalled();
      expect(lines).toEqual(['the server process of Temporal exited. Restarting it.']);
    }));

  it('fails if the next server has another address', () => {
    const onLost = vi.fn<(error: Error) => void>();
    return withServer({ onLost }, [ready(1), ready(2)], async (_temporal, sockets) => {
      sockets[0]?.destroy();
      await until(() => onLost.mock.calls.length > 0, 'the loss to be reported');
      expect(onLost).toHaveBeenCalledExactlyOnceWith(
        new EmbeddedTemporalError(
          'the Temporal server is now at 127.0.0.1:2, but this process uses 127.0.0.1:1. Run the command again.',
        ),
      );
    });
  });
});

it('a server process that does not listen is killed', () =>
  withTempDir(async (stateDir) => {
    const program = join(stateDir, 'server.js');
    await writeFile(program, 'setInterval(() => {}, 1000);');
    Object.assign(packageFiles, { server: program });
    const acquired = acquireEmbeddedTemporal({
      stateDir,
      cli: async () => Promise.resolve({ path: 'temporal', version: '1.9.1' }),
      // The clock jumps as soon as the process is running.
      onWait: () => vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 31_000),
    });
    try {
      await expect(acquired).rejects.toThrow(/its server process did not respond within 30 s\. Its log is /);
      await until(() => serverProcesses(stateDir).length === 0, 'the process to be killed');
    } finally {
      for (const pid of serverProcesses(stateDir)) process.kill(pid, 'SIGKILL');
    }
  }));

it('a state directory whose path is too long for SQLite is rejected', () =>
  withTempDir(async (directory) => {
    const stateDir = join(directory, 'x'.repeat(245), 'y'.repeat(245));
    const cli = async () => Promise.reject(new Error('no server is to be started'));
    await expect(acquireEmbeddedTemporal({ stateDir, cli })).rejects.toThrow(
      /has more than 492 bytes, which SQLite cannot open\. Set LONGHAUL_STATE_DIR to a shorter path\.$/,
    );
  }));
