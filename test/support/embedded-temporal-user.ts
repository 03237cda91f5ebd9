/** A command that uses the embedded server of the state directory in its first argument until its stdin ends. */
import { once } from 'node:events';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { temporalCliForTests } from './temporal-cli.ts';

const temporal = await acquireEmbeddedTemporal({
  stateDir: process.argv[2] ?? '',
  cli: temporalCliForTests,
  log: (line) => console.error(line),
  lingerMs: Number(process.argv[3]),
});
console.log(JSON.stringify({ address: temporal.address, pid: temporal.pid }));
process.stdin.resume();
await once(process.stdin, 'end');
await temporal.release();
