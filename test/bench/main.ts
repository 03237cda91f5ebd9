/** `npm run bench`: see `usage` in settings.ts. */
import { openBench, type Bench } from './bench.ts';
import { compareWithBaseline, writeBaseline } from './report/baseline.ts';
import { describeConditions } from './report/conditions.ts';
import { writeSection } from './report/docs-page.ts';
import type { Figure } from './report/figure.ts';
import { toMarkdownTable } from './report/markdown.ts';
import type { Section } from './report/section.ts';
import { scenarios } from './scenarios/index.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { readSettings, usage, type Settings } from './settings.ts';

const args = process.argv.slice(2);

function choose({ scenarios: names, isQuick }: Settings): readonly Scenario[] {
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    const known = scenarios.map(({ name }) => name).join(', ');
    throw new RangeError(`scenario ${unknown.join(', ')} not found. Use ${known}.`);
  }
  if (names.length > 0) return scenarios.filter(({ name }) => names.includes(name));
  return isQuick ? scenarios.filter((scenario) => scenario.isQuick) : scenarios;
}

function print(name: string, { about, tables, notes }: Section): void {
  console.log(`\n## ${name}\n\n${about}\n`);
  for (const table of tables) console.log(`${toMarkdownTable(table)}\n`);
  for (const note of notes) console.log(`- ${note}`);
}

/** One that fails doesn't take the others along. @returns the ratios of all, and the names of those that failed */
async function runAll(bench: Bench, chosen: readonly Scenario[]) {
  const conditions = await describeConditions(args);
  const ratios: Record<string, Figure> = {};
  const failed: string[] = [];
  for (const { name, run } of chosen) {
    bench.log(`scenario ${name}`);
    try {
      const section = await run(bench);
      print(name, section);
      Object.assign(ratios, section.ratios);
      if (bench.settings.writesDocs) await writeSection(name, section, conditions);
    } catch (error) {
      failed.push(name);
      console.error(`scenario ${name} failed:`, error);
    }
  }
  console.log(`\n${conditions}`);
  return { ratios, failed, conditions };
}

async function runBench(asked: Settings): Promise<void> {
  const chosen = choose(asked);
  const log = (line: string) => console.error(`${process.uptime().toFixed(0).padStart(5)} s  ${line}`);
  const bench = await openBench(asked, log);
  process.once('SIGINT', () => void bench.close().finally(() => process.exit(130)));
  try {
    const { ratios, failed, conditions } = await runAll(bench, chosen);
    if (asked.isQuick && asked.writesBaseline) await writeBaseline(ratios, asked, conditions);
    else if (asked.isQuick) console.log((await compareWithBaseline(ratios, asked)).join('\n'));
    // The quick form informs; a busy machine must not make it a failure.
    if (failed.length > 0 && !asked.isQuick) process.exitCode = 1;
  } finally {
    await bench.close();
  }
}

/** @returns undefined for invalid options, after a line on standard error */
function settingsOrHelp(): Settings | undefined {
  try {
    const settings = readSettings(args);
    choose(settings);
    if (!settings.help) return settings;
    console.log(usage);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = 2;
  }
  return undefined;
}

const settings = settingsOrHelp();
try {
  if (settings) await runBench(settings);
} catch (error) {
  console.error(error instanceof RangeError ? error.message : error);
  process.exitCode = 1;
}
