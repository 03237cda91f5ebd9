import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Compares the declarations of each entry point with its report in `docs/api`, as part of `npm run check`. With `--write`
 * (`npm run api-report`), writes the reports. A difference in a report is a change of the public API: see docs/architecture.md.
 * API Extractor takes 10 s of CPU time. If all files that a report depends on have the digest that was stored with the
 * reports, its result is known.
 */

const repository = fileURLToPath(new URL('../..', import.meta.url));
const reports = join(repository, 'docs/api');
const writes = process.argv.includes('--write');

/** A small entry point stays clear. */
const MAX_ROOT_NAMES = 40;

/** By the name of the report. */
const entries = {
  longhaul: 'src/index',
  errors: 'src/all-errors',
  types: 'src/types',
  worker: 'src/worker/index',
  activities: 'src/worker/activities',
  workflows: 'workflows/index',
  nexus: 'src/contracts/nexus',
} as const;

await mkdir(reports, { recursive: true });
const declarations = (entry: string) => join(repository, 'dist', `${entry}.d.ts`);

const inputs = join(repository, 'docs/api/inputs.sha256');
const isKnown = !writes && (await readFile(inputs, 'utf8').catch(() => '')) === (await digestOfInputs());
if (!isKnown) await compareReports();
if (writes && !process.exitCode) await writeFile(inputs, await digestOfInputs());

const root = await readFile(join(reports, 'longhaul.api.md'), 'utf8');
const undocumented = [...root.matchAll(/^\/\/ @public \(undocumented\)\nexport .*$/gm)].map(
  ([text]) => text.split('\n')[1],
);
if (undocumented.length > 0) {
  console.error(`Exports of "longhaul" without a doc comment:\n${undocumented.join('\n')}`);
  process.exitCode = 1;
}
const names = new Set([...root.matchAll(/^export (?:declare |abstract )*\w+ (\w+)/gm)].map(([, name]) => name)).size;
if (names > MAX_ROOT_NAMES) {
  console.error(
    `"longhaul" exports ${names} names, at most ${MAX_ROOT_NAMES}. Export others from "longhaul/types" or "longhaul/errors".`,
  );
  process.exitCode = 1;
}

/** The digest of all files that a report depends on, and of the reports. */
async function digestOfInputs(): Promise<string> {
  const files = new Set(Object.values(entries).map(declarations));
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    for (const [, path = ''] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.[jt]s['"]/g)) {
      files.add(join(dirname(file), `${path}.d.ts`));
    }
  }
  for (const name of Object.keys(entries)) files.add(join(reports, `${name}.api.md`));
  files.add(join(repository, 'package-lock.json'));
  files.add(fileURLToPath(import.meta.url));
  const digest = createHash('sha256');
  for (const file of [...files].toSorted()) {
    digest.update(`${relative(repository, file)}\n`).update(await readFile(file).catch(() => 'missing'));
  }
  return `${digest.digest('hex')}\n`;
}

async function compareReports(): Promise<void> {
  const { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } = await import('@microsoft/api-extractor');
  const configs = Object.entries(entries).map(([name, entry]) =>
    ExtractorConfig.prepare({
      configObjectFullPath: join(repository, 'api-extractor.json'),
      packageJsonFullPath: join(repository, 'package.json'),
      configObject: {
        projectFolder: repository,
        mainEntryPointFilePath: declarations(entry),
        newlineKind: 'lf',
        compiler: {
          overrideTsconfig: {
            compilerOptions: {
              target: 'es2022',
              module: 'nodenext',
              types: ['node'],
              strict: true,
              skipLibCheck: true,
            },
            include: Object.values(entries).map(declarations),
          },
        },
        apiReport: {
          enabled: true,
          reportFileName: name,
          reportFolder: reports,
          reportTempFolder: join(tmpdir(), 'longhaul-api'),
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
          // The reports list types that only their own package names; test/unit/exports.test.ts checks these.
          extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        },
      },
    }),
  );
  // One program for all entry points takes a third of the time.
  const compilerState = CompilerState.create(configs[0] as (typeof configs)[number], {
    additionalEntryPoints: Object.values(entries).slice(1).map(declarations),
  });

  let isChanged = false;
  for (const config of configs) {
    const result = Extractor.invoke(config, {
      compilerState,
      localBuild: writes,
      messageCallback: (message) => {
        message.handled = message.logLevel !== ExtractorLogLevel.Error;
      },
    });
    if (result.errorCount > 0) process.exitCode = 1;
    if (result.apiReportChanged) isChanged = true;
  }
  if (isChanged && !writes) {
    console.error(
      'The public API changed. Run "npm run build && npm run api-report", and check the difference in docs/api.',
    );
    process.exitCode = 1;
  }
}
