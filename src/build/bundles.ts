import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { build, transformSync, type Plugin } from 'esbuild';
import { bundledTemporalClient } from './temporal-client.ts';
import { packageFiles } from '../package-files.ts';
import { bundleWorkflows, sdkVersion } from '../worker/bundle.ts';

const require = createRequire(import.meta.url);

/** Evaluates `string-width` at the first text that is not ASCII, because its expressions for emoji take 50 ms of CPU time. */
const lateStringWidth: Plugin = {
  name: 'late-string-width',
  setup(plugin) {
    plugin.onResolve({ filter: /^string-width$/ }, ({ path, namespace }) =>
      namespace === 'late' ? undefined : { path, namespace: 'late' },
    );
    plugin.onLoad({ filter: /./, namespace: 'late' }, () => ({
      resolveDir: dirname(packageFiles.manifest),
      contents: `export default (text, options) =>
        /^[ -~]*$/.test(text) ? text.length : require('string-width').default(text, options);`,
    }));
  },
};

/** Evaluates what the command rarely uses of undici, such as `fetch` and its mocks, at its first use: it takes 20 ms. */
const lateUndici: Plugin = {
  name: 'late-undici',
  setup(plugin) {
    const used = { Agent: 'dispatcher/agent', Client: 'dispatcher/client', buildConnector: 'core/connect' };
    const others = Object.keys(require('undici') as object).filter((name) => !(name in used) && name !== 'Dispatcher');
    plugin.onLoad({ filter: /node_modules.undici.index\.js$/ }, ({ path, suffix }) => {
      if (suffix) return undefined;
      const late = others.map((name) => `get ${name}() { return require('./index.js?all').${name}; }`);
      const early = Object.entries(used).map(([name, module]) => `${name}: require('./lib/${module}')`);
      return {
        resolveDir: dirname(path),
        contents: `
          const Dispatcher = require('./lib/dispatcher/dispatcher');
          Object.assign(Dispatcher.prototype, require('./lib/api'));
          module.exports = { ${['Dispatcher', ...early, ...late].join(', ')} };`,
      };
    });
  },
};

/**
 * Bundles the command, because Node.js loads one file in three quarters of the time of its modules. Packages of sources and
 * traces are excluded, because they are loaded only if they are used.
 */
async function bundleCommand(): Promise<void> {
  const outdir = dirname(packageFiles.command);
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: [packageFiles.commandEntry],
    outdir,
    bundle: true,
    splitting: true,
    minifySyntax: true,
    minifyWhitespace: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: [bundledTemporalClient, lateStringWidth, lateUndici],
    external: ['@aws-sdk/*', '@smithy/*', '@opentelemetry/*', 'longhaul'],
    // Required by CommonJS modules.
    banner: {
      js: `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`,
    },
    logLevel: 'warning',
  });
  chmodSync(packageFiles.command, 0o755);
}

/** Bundles the server process without Temporal's SDK, because it starts with each embedded server and must be small. */
async function bundleServer(): Promise<void> {
  await build({
    entryPoints: [packageFiles.serverEntry],
    outfile: packageFiles.server,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
}

/**
 * A bundle of workflows without comments and white space, and without the sources in its source map: every worker parses both
 * when it starts. The names of functions and sources in stack traces stay.
 */
function compact(bundle: string): string {
  const { code, map } = transformSync(bundle, { minifyWhitespace: true, sourcemap: 'external', sourcesContent: false });
  const { mappings, ...rest } = JSON.parse(map) as { readonly mappings: string };
  // The first line stays empty for code that a worker adds. Temporal's SDK requires the name of the file.
  const compactMap = JSON.stringify({ ...rest, file: 'workflow-bundle.js', mappings: `;${mappings}` });
  const url = `data:application/json;base64,${Buffer.from(compactMap).toString('base64')}`;
  return `\n${code}//# sourceMappingURL=${url}\n`;
}

// The directory of the build means nothing in the stack traces of a user.
const sourceName = 'longhaul/[resource-path]';
// Workers then start without bundling the workflows first, which takes seconds.
writeFileSync(packageFiles.workflowBundle, compact(await bundleWorkflows([], sourceName)));
// Only for workers that trace.
writeFileSync(
  packageFiles.tracedWorkflowBundle,
  compact(await bundleWorkflows([packageFiles.tracingInterceptors], sourceName)),
);
writeFileSync(packageFiles.workflowBundleInfo, JSON.stringify({ sdk: sdkVersion() }));
await bundleCommand();
await bundleServer();
