/** `npm run server-kills -- --kills N`: kills commands, the server process and Temporal N times each, and prints a report. */
import { parseArgs } from 'node:util';
import { endCliProcesses } from '../support/cli.ts';
import { runServerKills } from './server-kills.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '100' } } });
process.on('exit', () => void endCliProcesses());
const startedAtMs = Date.now();
const report = await runServerKills(Number(values.kills), 3_000, (line) => {
  console.error(`${((Date.now() - startedAtMs) / 1000).toFixed(1)} ${line}`);
});
console.log(JSON.stringify({ ...report, seconds: Math.round((Date.now() - startedAtMs) / 1000) }, null, 2));
process.exitCode = report.problems.length > 0 ? 1 : 0;
