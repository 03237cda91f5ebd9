import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { API, SymbolFlags, type Project, type Symbol as TypeSymbol } from 'typescript/unstable/sync';
import { SyntaxKind, type Node } from 'typescript/unstable/ast';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as errors from '../../src/all-errors.ts';
import * as library from '../../src/index.ts';
import * as worker from '../../src/worker/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const documentation = readFileSync(join(root, 'docs/services.md'), 'utf8');

/** Source files that an entry point imports, directly or not. */
function reachable(entries: readonly string[]): readonly string[] {
  const found = new Set<string>(entries.map((entry) => join(root, entry)));
  for (const file of found) {
    const text = readFileSync(file, 'utf8');
    for (const [, path] of text.matchAll(/(?:from|import\()\s*'(\.[^']+\.ts)'/g))
      found.add(resolve(dirname(file), path as string));
  }
  return [...found];
}

const files = reachable(['src/index.ts', 'src/all-errors.ts', 'src/worker/index.ts']).map((path) => ({
  path: relative(root, path),
  text: readFileSync(path, 'utf8').replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, ''),
}));

const classes = files.flatMap(({ path, text }) =>
  [...text.matchAll(/class (\w+) extends (\w*(?:Error|Source|Postponed)\w*)\b/g)].map(([, name = '', base = '']) => ({
    path,
    name,
    base,
  })),
);

/** Classes that never leave Longhaul's own functions. */
const internal: Readonly<Record<string, string>> = {
  GlobError: 'reported as a problem of a request by the checks of globs',
  LostPlaceError: 'caught by the search for a File, which starts again',
  WholeSource: 'caught by the listing that throws it',
  LineProblem: 'caught by the manifest, which makes a ManifestError of it',
  Postponed: 'caught by the workflow that throws it',
};

/** Files of the client and of the creation of a worker that make built-in errors, with the code that catches them. */
const builtIn: Readonly<Record<string, string>> = {
  'src/config/temporal.ts': 'connect and loadConfig make a ConfigError of it',
  'src/core/upload/plan.ts': 'an empty file, which callers exclude',
  'src/network/watched-files.ts': 'each caller makes a ConfigError of it',
  'src/network/tunnel.ts': 'the reading of a source makes a SourceReadError of it, as of each error of a connection',
  'src/sources/remote/reader.ts': 'nothing reads from a reader after it was closed',
  'src/sources/s3/guard.ts': 'mapS3Error makes a SourceReadError of it',
  'src/sources/s3/xml.ts': 'mapS3Error makes a SourceReadError of it',
  'src/pace/request-rate.ts': 'the requests are then made without a rate',
  'src/worker/sealing-workflow.ts': 'thrown in an activity, which makes a failure of it',
};

function isLonghaulError(name: string): boolean {
  if (name === 'LonghaulError') return true;
  const found = classes.find((one) => one.name === name);
  return found !== undefined && found.base !== name && isLonghaulError(found.base);
}

describe('the errors of the library and of the worker', () => {
  it('derive from LonghaulError and are exported', () => {
    const exported = { ...library, ...errors, ...worker } as Readonly<Record<string, unknown>>;
    const checked = classes.filter(({ name }) => !(name in internal));
    expect(checked.length).toBeGreaterThan(30);
    expect(checked.filter(({ name }) => !isLonghaulError(name))).toEqual([]);
    expect(checked.filter(({ name }) => !(name in exported))).toEqual([]);
  });

  it('have distinct codes that do not change by accident', () => {
    const codes = classes
      .filter(({ name }) => !(name in internal))
      .flatMap(({ path, name }) => {
        const text = files.find((file) => file.path === path)?.text ?? '';
        const body = text.slice(text.indexOf(`class ${name} `));
        return /readonly code = '([A-Z_]+)'/.exec(body.slice(0, body.indexOf('\n}')))?.[1] ?? [];
      });
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.toSorted()).toMatchInlineSnapshot(`
      [
        "ABORTED",
        "API_ERROR",
        "CONFIG_INVALID",
        "CONNECTION_FAILED",
        "CONTENT_INVALID",
        "JOB_CANCELLED",
        "JOB_ENCRYPTED",
        "JOB_FAILED",
        "JOB_ID_TAKEN",
        "JOB_NOT_FOUND",
        "LINE_TOO_LONG",
        "MANIFEST_UNUSABLE",
        "NAMESPACE_NOT_FOUND",
        "NO_WORKER",
        "QUERY_REFUSED",
        "SCHEDULE_BUSY",
        "SCHEDULE_EXISTS",
        "SCHEDULE_NOT_FOUND",
        "SEARCH_ATTRIBUTES_MISSING",
        "SEARCH_ATTRIBUTE_CONFLICT",
        "SETUP_REFUSED",
        "SETUP_UNFINISHED",
        "SOURCE_ARCHIVED",
        "SOURCE_CHANGED",
        "SOURCE_FORBIDDEN",
        "SOURCE_MISSING",
        "SOURCE_NOT_NAMED",
        "SOURCE_NOT_RANGED",
        "SOURCE_READ_FAILED",
        "SOURCE_UNUSABLE",
        "STEERING_REFUSED",
        "STRANGE_ANSWER",
        "STRANGE_WORKFLOW",
        "TEMPORAL_DENIED",
        "TEMPORAL_FAILED",
        "TEMPORAL_UNREACHABLE",
        "TIMED_OUT",
        "WORKER_FAILED",
      ]
    `);
  });

  it('are not built-in errors, except those that never reach a caller', () => {
    const ofClient = new Set(reachable(['src/index.ts']).map((path) => relative(root, path)));
    const found = files
      .filter(({ path }) => ofClient.has(path) || /^src\/(worker|pace)\//.test(path))
      .filter(({ text }) => /\bnew (Error|TypeError|RangeError|AggregateError)\(/.test(text))
      .map(({ path }) => path);
    expect(found.toSorted()).toEqual(Object.keys(builtIn).toSorted());
  });
});

/** The declarations under a path without a tsconfig.json and node_modules, whose programs would take seconds to load. */
const place = realpathSync(mkdtempSync(join(tmpdir(), 'longhaul-exports-')));
symlinkSync(join(root, 'dist'), join(place, 'dist'));
const dist = join(place, 'dist/');
const entries = [
  'src/index',
  'src/all-errors',
  'src/types',
  'src/worker/index',
  'src/worker/activities',
  'workflows/index',
].map((entry) => join(dist, `${entry}.d.ts`));

/** Values that one function of Longhaul returns and another accepts, and arguments that only a workflow itself passes. */
const opaque: readonly string[] = [
  'AroundCall',
  'RateCarried',
  'CarriedUpload',
  'DestinationsOptions',
  'FullSplitRequest',
  'FullSyncRequest',
  'FullUploadRequest',
  'Held',
  'NamespaceAttributes',
  'Sources',
  'Destination',
  'WatchedKeys',
];

describe.skipIf(!existsSync(entries[0] as string))('the declarations of the package', () => {
  const api = new API({ cwd: place });
  let project: Project;
  beforeAll(() => {
    const found = api.updateSnapshot({ openFiles: entries }).getDefaultProjectForFile(entries[0] as string);
    project = found as Project;
  });
  afterAll(() => {
    api.close();
    rmSync(place, { recursive: true });
  });

  const real = (symbol: TypeSymbol) =>
    symbol.flags & SymbolFlags.Alias ? project.checker.getAliasedSymbol(symbol) : symbol;

  const exportsOf = (module: TypeSymbol | undefined): TypeSymbol[] =>
    [...(module?.getExports().values() ?? [])].flatMap((symbol) => {
      if (symbol.name !== '__export') return real(symbol);
      return symbol.declarations.flatMap((declaration) => {
        const { moduleSpecifier } = declaration.resolve(project) as unknown as { moduleSpecifier: Node };
        return exportsOf(project.checker.getSymbolAtLocation(moduleSpecifier));
      });
    });

  function* referenced(node: Node): Generator<TypeSymbol> {
    if (node.kind === SyntaxKind.TypeReference || node.kind === SyntaxKind.ExpressionWithTypeArguments) {
      const { typeName, expression } = node as unknown as { typeName?: Node; expression?: Node };
      const name = (typeName ?? expression) as Node;
      const symbol = project.checker.getSymbolAtLocation(
        name.kind === SyntaxKind.QualifiedName ? (name as unknown as { right: Node }).right : name,
      );
      if (symbol) yield real(symbol);
    }
    const children: Node[] = [];
    node.forEachChild((child) => void children.push(child));
    for (const child of children) yield* referenced(child);
  }

  it('export each type of the package that they reference', () => {
    const exported = entries
      .map((entry) => project.program.getSourceFile(entry))
      .filter((file) => file !== undefined)
      .flatMap((file) => exportsOf(project.checker.getSymbolAtLocation(file)));
    const ids = new Set(exported.map(({ id }) => id));
    expect(ids.size).toBeGreaterThan(100);
    const missing = new Set<string>();
    for (const symbol of exported) {
      for (const declaration of symbol.declarations) {
        const node = declaration.resolve(project);
        if (!node || !declaration.path.startsWith(dist)) continue;
        for (const used of referenced(node)) {
          const isOurs = used.declarations[0]?.path.startsWith(dist) ?? false;
          if (!isOurs || used.flags & SymbolFlags.TypeParameter || ids.has(used.id) || opaque.includes(used.name))
            continue;
          missing.add(`${used.name}, which ${symbol.name} uses`);
        }
      }
    }
    expect([...missing]).toEqual([]);
  });
});

it('the documentation has the class of each error of Temporal', () => {
  for (const name of ['NamespaceNotFoundError', 'TemporalDeniedError', 'TemporalFailedError', 'WorkerFailedError']) {
    expect(documentation).toContain(`\`${name}\``);
  }
});
