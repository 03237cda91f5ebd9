import { once } from 'node:events';
import { access, mkdir, readdir, rename } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { claimSocket } from '../../../src/dev/server/claim.ts';
import { withTempDir } from '../../support/temp-dir.ts';

describe('claimSocket', () => {
  it('detects that the state directory was replaced, and keeps the socket of its next server', () =>
    withTempDir(async (directory) => {
      const stateDir = join(directory, 'state');
      await mkdir(stateDir);
      const first = await claimSocket(stateDir, (socket) => socket.destroy());
      expect(first?.isDetached()).toBe(false);
      await rename(stateDir, join(directory, 'moved'));
      expect(first?.isDetached()).toBe(true);
      await mkdir(stateDir);
      const second = await claimSocket(stateDir, (socket) => socket.destroy());
      expect([first?.isDetached(), second?.isDetached()]).toEqual([true, false]);
      first?.release();
      await once(connect(join(stateDir, 'server.1.sock')), 'connect');
      second?.release();
      expect(await readdir(stateDir)).toEqual([]);
    }));

  it('keeps a name that cannot be removed', () =>
    withTempDir(async (stateDir) => {
      await mkdir(join(stateDir, 'server.1.sock'));
      const claim = await claimSocket(stateDir, (socket) => socket.destroy());
      await claim?.removeStale();
      claim?.release();
      await access(join(stateDir, 'server.1.sock'));
    }));
});
