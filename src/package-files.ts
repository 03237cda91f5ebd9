import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ConfigError } from './errors.ts';

/** Resolves the packages of Longhaul. */
export const requireOfPackage = packageRequire();
const { resolve } = requireOfPackage;
/** By the name of the package, so that the sources, the built files and the bundle of the command find the same files. */
const manifest = resolve('longhaul/package.json');
const built = (...path: string[]) => join(dirname(manifest), 'dist', ...path);

/** Files of this package that other programs and threads load. */
export const packageFiles = {
  manifest,
  /** The program `longhaul`, in one bundle. */
  command: built('cli', 'main.js'),
  /** The program before it is bundled. */
  commandEntry: built('src', 'cli', 'main.js'),
  /** The program that runs the embedded Temporal server, in one bundle. */
  server: built('server.js'),
  serverEntry: built('src', 'dev', 'server', 'main.js'),
  md5Thread: built('src', 'sources', 'digest', 'pass-thread.js'),
  workflows: built('workflows', 'index.js'),
  payloadConverter: built('workflows', 'payload-converter.js'),
  failureConverter: built('src', 'encryption', 'failure-converter.js'),
  workflowFailureConverter: built('workflows', 'failure-converter.js'),
  workflowBundle: built('workflow-bundle.js'),
  /** The version of the SDK of the bundles. */
  workflowBundleInfo: built('workflow-bundle.json'),
  tracedWorkflowBundle: built('workflow-bundle-traced.js'),
  tracingInterceptors: built('src', 'observe', 'tracing', 'workflow-interceptors.js'),
} as const;

/** A bundler of a program moves this code away from the files of the package, or removes the URL of this module. */
function packageRequire(): NodeJS.Require {
  try {
    const require = createRequire(import.meta.url);
    require.resolve('longhaul/package.json');
    return require;
  } catch (cause) {
    const fix =
      'If a bundler included Longhaul in another file, set "longhaul" and "@temporalio/*" as external packages';
    throw new ConfigError(`cannot find the files of the package "longhaul". ${fix}`, { cause });
  }
}

export const INTERCEPTORS_PACKAGE = '@temporalio/interceptors-opentelemetry';

/** Temporal's interceptors for traces, from the package that is installed. Both packages have the same classes. */
export function interceptorsPackage(): string {
  try {
    resolve(`${INTERCEPTORS_PACKAGE}/package.json`);
    return INTERCEPTORS_PACKAGE;
  } catch {
    return `${INTERCEPTORS_PACKAGE}-v2`;
  }
}
