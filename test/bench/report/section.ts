import type { Figure } from './figure.ts';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A drawing of a section; its name becomes that of a file. */
export interface Chart {
  readonly name: string;
  readonly alt: string;
  readonly svg: string;
}

/** What one scenario has to say. */
export interface Section {
  /** How it was measured, for a reader who sees nothing else. */
  readonly about: string;
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  readonly notes: readonly string[];
  /** Paired ratios by name: these hold on other machines, and are what a baseline is made of. */
  readonly ratios: Readonly<Record<string, Figure>>;
  /** Other numbers that goals are set for. */
  readonly figures: Readonly<Record<string, Figure>>;
}
