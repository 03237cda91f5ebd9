import type { Bench } from '../bench.ts';
import type { Section } from '../report/section.ts';

export interface Scenario {
  /** As on the command line and in docs/performance.md. */
  readonly name: string;
  /** Whether `--quick` runs it; its ratios are what the baseline holds. */
  readonly isQuick: boolean;
  readonly run: (bench: Bench) => Promise<Section>;
}
