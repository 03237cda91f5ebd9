import type { Bench } from './bench.ts';
import type { ContenderName } from './contenders/index.ts';
import { GiB, type Round, type Task } from './measurement.ts';
import type { Sink } from './setup/sink.ts';

/** One contender with what it has to do. */
export interface Entry {
  readonly contender: ContenderName;
  readonly task: Task;
  /** Where more than parts in flight tell it from others. */
  readonly remark?: string;
}

export interface EntryResult {
  readonly entry: Entry;
  readonly rounds: readonly Round[];
}

export interface Results {
  readonly entries: readonly EntryResult[];
  /** Skipped contenders, with the reasons. */
  readonly notes: readonly string[];
}

/**
 * Runs all contenders in turn, in every second round in reverse order, so that changes of the machine affect all of them
 * equally. Skips and reports contenders that cannot run here or fail.
 */
export async function runRounds(bench: Bench, sink: Sink, entries: readonly Entry[], rounds: number): Promise<Results> {
  const { able, notes } = await separate(bench, entries);
  const results = able.map((entry) => ({ entry, rounds: [] as Round[] }));
  const failed = new Set<(typeof results)[number]>();
  for (let round = 1; round <= rounds; round++) {
    for (const result of round % 2 === 1 ? results : results.toReversed()) {
      if (failed.has(result)) continue;
      try {
        const measured = await measure(bench, sink, result.entry);
        result.rounds.push(measured);
        bench.log(`round ${round}: ${labelOf(result.entry)}: ${measured.gibPerSecond.toFixed(2)} GiB/s`);
      } catch (error) {
        failed.add(result);
        notes.push(`${labelOf(result.entry)} was skipped: ${(error as Error).message.split('\n')[0]}`);
        bench.log(notes.at(-1) ?? '');
      }
    }
  }
  return { entries: results.filter((result) => !failed.has(result)), notes };
}

export function labelOf({ contender, task, remark }: Entry): string {
  const fixed = contender === 'Longhaul, adaptive' ? '' : ` × ${task.concurrency}`;
  return `${contender}${fixed}${remark ? `, ${remark}` : ''}`;
}

async function separate(bench: Bench, entries: readonly Entry[]): Promise<{ able: Entry[]; notes: string[] }> {
  const reasons = new Map<ContenderName, string>();
  for (const name of new Set(entries.map(({ contender }) => contender))) {
    const reason = await bench.contenders[name].missing?.();
    if (reason !== undefined) reasons.set(name, reason);
  }
  const notes = [...reasons].map(([name, reason]) => `${name} was skipped: ${reason}`);
  for (const note of notes) bench.log(note);
  return { able: entries.filter(({ contender }) => !reasons.has(contender)), notes };
}

async function measure(bench: Bench, sink: Sink, { contender, task }: Entry): Promise<Round> {
  const { prepare, measure: measureIt } = bench.contenders[contender];
  await prepare(task);
  const before = await sink.stats();
  const measurement = await measureIt(task);
  const after = await sink.stats();
  // The sink can't tell the warm-up from the rest, so it is asked by the bytes that it took.
  const gib = (after.bodyBytes - before.bodyBytes) / GiB;
  return {
    ...measurement,
    sinkCpuSecondsPerGib: (after.cpuSeconds - before.cpuSeconds) / gib,
    requestsPerGib: (after.requests - before.requests - 1) / gib,
  };
}
