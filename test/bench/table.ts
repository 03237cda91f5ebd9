import type { Measurement } from './measurement.ts';

/** One contender's measurements, a round each. */
export type Rounds = readonly Measurement[];

/** Medians over the rounds with their least and most. Ratios are taken within a round, as the machine drifts. */
export function toTable(results: ReadonlyMap<string, Rounds>): Record<string, Record<string, string>> {
  const [base = []] = results.values();
  return Object.fromEntries(
    [...results].map(([name, rounds]) => [
      name,
      {
        'GiB/s': spread(rounds.map((round) => round.gibPerSecond)),
        'of the first row': spread(
          rounds.map((round, index) => round.gibPerSecond / (base[index]?.gibPerSecond ?? NaN)),
        ),
        'CPU s/GiB': spread(rounds.map((round) => round.cpuSecondsPerGib)),
        'Temporal s/GiB': spread(rounds.flatMap((round) => round.temporalCpuSecondsPerGib ?? [])),
        'idle RSS MiB': spread(
          rounds.map((round) => round.idleRssMib),
          0,
        ),
        'peak RSS MiB': spread(
          rounds.map((round) => round.peakRssMib),
          0,
        ),
        'over idle MiB': spread(
          rounds.map((round) => round.peakRssMib - round.idleRssMib),
          0,
        ),
      },
    ]),
  );
}

function spread(numbers: readonly number[], digits = 2): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [least, middle, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  if (least === undefined || middle === undefined || most === undefined) return '';
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}
