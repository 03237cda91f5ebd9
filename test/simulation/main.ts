import { parseArgs } from 'node:util';
import { drawPlan, drawSplitPlan, drawSyncPlan } from './draw-plan.ts';
import { drawForgedPlan } from './draw-forged-plan.ts';
import type { Plan } from './plan.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    split: { type: 'boolean', default: false },
    sync: { type: 'boolean', default: false },
    forged: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
  },
});

const print = (text: string) => process.stdout.write(`${text}\n`);
const first = Number(values.seed);
const runs = Number(values.runs);
const startedAt = performance.now();
const broken = new Map<string, number[]>();
const ends = new Map<string, number>();
for (let seed = first; seed < first + runs; seed++) {
  const plan = draw(seed);
  const { violations, trace, close } = await simulate(plan);
  ends.set(close?.status ?? 'open', (ends.get(close?.status ?? 'open') ?? 0) + 1);
  if (values.trace) print(trace.join('\n'));
  for (const rule of new Set(violations.map((violation) => violation.rule))) {
    const seeds = broken.get(rule) ?? [];
    broken.set(rule, [...seeds, seed]);
    if (seeds.length > 0) continue;
    if (values['no-shrink']) {
      print(`seed ${seed} breaks "${rule}"`);
      continue;
    }
    print(`seed ${seed} breaks "${rule}". The shortest plan that still breaks it:`);
    const shortest = await shrink(plan, rule, simulate);
    print(JSON.stringify(shortest, undefined, 1));
    print((await simulate(shortest)).trace.join('\n'));
  }
  if (broken.size > 0 && !values['keep-going']) break;
}

function draw(seed: number): Plan {
  if (values.forged)
    return drawForgedPlan(values.sync ? 'syncSource' : values.split ? 'uploadSplitFile' : 'uploadFile', seed);
  return values.sync ? drawSyncPlan(seed) : values.split ? drawSplitPlan(seed) : drawPlan(seed);
}

const perMinute = Math.round((runs / (performance.now() - startedAt)) * 60_000);
print(`${runs} uploads (${[...ends].map(([end, count]) => `${count} ${end}`).join(', ')}), ${perMinute} per minute`);
for (const [rule, seeds] of broken) print(`${seeds.length} broke "${rule}": seeds ${seeds.slice(0, 12).join(', ')}`);
process.exitCode = broken.size > 0 ? 1 : 0;
