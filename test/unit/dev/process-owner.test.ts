import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { isOwnProcess, portOwner, processOwner } from '../../../src/dev/server/system.ts';
import { findTemporal } from '../../support/state-dir.ts';
import { until } from '../../support/until.ts';

const isRoot = process.getuid?.() === 0;
const table = (uid: number, address: string, state = '0A') =>
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 36841 1 0 100 0 0 10 0`;

test('the owner of this process is this user, and a process that has ended has no owner', () => {
  expect(processOwner(process.pid)).toBe(process.getuid?.());
  expect(isOwnProcess(process.pid)).toBe(true);
  expect(processOwner(2 ** 22 + 1)).toBeUndefined();
});

test.skipIf(!isRoot)('a server of another user is not found by its command line', async () => {
  const stateDir = `/tmp/longhaul-no-such-${process.pid}`;
  const args = ['-c', 'read x', 'sh', 'start-dev', '--db-filename', `${stateDir}/temporal.db`, 'x'];
  for (const [uid, isFound] of [
    [process.getuid?.() as number, true],
    [12_345, false],
  ] as const) {
    const child = spawn('/bin/sh', args, { uid, stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      await once(child, 'spawn');
      const { pid } = child;
      await until(() => processOwner(pid as number) === uid, 'the process to run as its user');
      expect(findTemporal(stateDir) === pid).toBe(isFound);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
});

test.each([
  ['another user', table(1000, '0100007F:4269'), 1000],
  ['every address', table(1000, '00000000:4269'), 1000],
  ['another port', table(1000, '0100007F:4268'), undefined],
  ['a connection instead of a listener', table(1000, '0100007F:4269', '01'), undefined],
  ['nothing', '', undefined],
])('the owner of a port is read from a table with %s', (_, text, owner) => {
  expect(portOwner(0x4269, () => text)).toBe(owner);
});

test.skipIf(process.platform !== 'linux')('the owner of a port of this process is this user', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(portOwner(port)).toBe(process.getuid?.());
  server.close();
  await once(server, 'close');
  expect(portOwner(port)).toBeUndefined();
});
