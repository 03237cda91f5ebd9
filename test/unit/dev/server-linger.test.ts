import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { EmbeddedServer } from '../../../src/dev/server/server.ts';
import { send } from '../../../src/dev/server/socket.ts';
import { until } from '../../support/until.ts';
import { withTempDir } from '../../support/temp-dir.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Connects as soon as the socket exists. */
async function connectEarly(path: string): Promise<Socket> {
  for (;;) {
    const socket = connect(path);
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    if (isOpen) return socket;
    await setImmediate();
  }
}

it('the embedded server keeps running for a command that connects before it claims the directory', () =>
  withTempDir(async (stateDir) => {
    const path = join(stateDir, 'temporal');
    await writeFile(path, '#!/bin/sh\nexec sleep 60\n');
    await chmod(path, 0o755);
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as typeof process.exit);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const connecting = connectEarly(join(stateDir, 'server.1.sock'));
    void new EmbeddedServer(stateDir, { path, version: '1.9.1' }).run().catch(() => {});
    const socket = await connecting;
    await once(socket, 'data');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(exit).not.toHaveBeenCalled();
    vi.useRealTimers();
    send(socket, { pid: process.pid, lingerMs: 0 });
    socket.end();
    await until(() => exit.mock.calls.length > 0, 'the server to stop');
  }));
