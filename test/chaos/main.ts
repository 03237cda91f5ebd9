/** `npm run chaos -- --seed S --runs N --minutes M`: draws runs from seeds S, S+1, … and prints what came of them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { attempt } from '../../src/core/objects.ts';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { endCliProcesses } from '../support/cli.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { withStateDir } from '../support/state-dir.ts';
import { provideS3Server } from '../support/install-s3-servers.ts';
import { drawPlan } from './draw.ts';
import { rowOf, SOURCE_KINDS, type SourceKind } from './plan.ts';
import { Report } from './report.ts';
import { runPlan, type ChaosTemporal, type Outcome } from './run.ts';

const { values } = parseArgs({
  options: {
    /** Of the first run; each run after has the next one. */
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    runs: { type: 'string', default: '20' },
    /** Number of failed runs after which no run starts. */
    minutes: { type: 'string', default: '60' },
    /** Runs at a time. */
    parallel: { type: 'string', default: '1' },
    /** Whether no run starts after a failed run. */
    bail: { type: 'boolean', default: false },
    /** Whether the API is the Azure mode of the local API, and the destination of the kind azure. */
    azure: { type: 'boolean', default: false },
    /** Kinds of sources to draw from. */
    sources: { type: 'string', default: SOURCE_KINDS.join(',') },
    /** Where histories of failed runs go. */
    out: { type: 'string', default: join(tmpdir(), 'longhaul-chaos') },
  },
});
const firstSeed = Number(values.seed);
const runs = Number(values.runs);
let deadlineMs = Date.now() + Number(values.minutes) * 60_000;
const sources = await availableSources();
const report = new Report();
let begun = 0;
process.on('exit', () => void endCliProcesses());
process.once('SIGINT', () => (deadlineMs = 0));

await withStateDir(async (stateDir) => {
  const server = await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0 });
  const connection = await Connection.connect({ address: server.address });
  const killedAtMs: number[] = [];
  const temporal: ChaosTemporal = {
    address: server.address,
    client: new Client({ connection }),
    killedAtMs,
    kill: () => {
      killedAtMs.push(Date.now());
      // Another run can have just killed it.
      attempt(() => process.kill(server.pid, 'SIGKILL'));
    },
  };
  const lane = async () => {
    while (begun < runs && Date.now() < deadlineMs) {
      const seed = firstSeed + begun++;
      const plan = drawPlan(seed, { mayKillTemporal: true, sources, someAdapt: true });
      try {
        const outcome = await runPlan(plan, temporal, { isAzure: values.azure });
        report.add(outcome);
        if (values.bail && outcome.problems.length > 0) deadlineMs = 0;
        await tell(outcome);
      } catch (error) {
        report.addBroken();
        console.log(`seed ${seed} could not be judged: ${JSON.stringify(plan)}`, error);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Number(values.parallel) }, lane));
  } finally {
    // What a run that broke off has left would keep this process alive.
    await endCliProcesses();
    await connection.close();
    await server.release();
  }
});

console.log(`\n${report.toString()}`);
process.exitCode = report.heldAll ? 0 : 1;

async function tell({ evidence, problems, durationMs, history }: Outcome): Promise<void> {
  const { plan, status, failureType, done } = evidence;
  const deeds = done.map(({ deed, hit }) => (hit ? rowOf(deed) : `(${rowOf(deed)})`)).join(', ');
  const verdict = problems.length === 0 ? 'held' : 'FAILED';
  console.log(
    `seed ${plan.seed} ${plan.source} ${verdict} ${status} ${failureType ?? ''} ${durationMs} ms: ${deeds || 'nothing'}`,
  );
  if (problems.length === 0) return;
  const path = join(values.out, `history-${plan.seed}.json`);
  await mkdir(values.out, { recursive: true });
  await writeFile(path, history ?? '');
  for (const problem of problems) console.log(`  ${problem}`);
  console.log(`  plan: ${JSON.stringify(plan)}`);
  console.log(`  history: ${path}; again: npm run chaos -- --seed ${plan.seed} --runs 1`);
}

/** @throws Error if a kind does not exist */
async function availableSources(): Promise<readonly SourceKind[]> {
  const named = values.sources.split(',');
  const wanted = SOURCE_KINDS.filter((kind) => named.includes(kind));
  if (wanted.length !== named.length) throw new Error(`--sources takes some of ${SOURCE_KINDS.join(', ')}`);
  if (!wanted.includes('s3')) return wanted;
  try {
    await provideS3Server('versitygw');
    return wanted;
  } catch (error) {
    console.log(`no S3 objects are drawn: ${(error as Error).message}`);
    return wanted.filter((kind) => kind !== 's3');
  }
}
