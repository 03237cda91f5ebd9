import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';
import { INTERCEPTORS_PACKAGE, interceptorsPackage, packageFiles, requireOfPackage } from '../package-files.ts';

/** The workflows, bundled at build time. Pass it to your own worker as `workflowBundle: { codePath }`. */
export const workflowBundlePath = packageFiles.workflowBundle;

/** The same with OpenTelemetry's interceptors. */
export const tracedWorkflowBundlePath = packageFiles.tracedWorkflowBundle;

/** Version of the installed SDK, whose workflow code and worker must be of one version. */
export function sdkVersion(): string {
  return (requireOfPackage('@temporalio/workflow/package.json') as { version: string }).version;
}

/**
 * @param sourceName webpack's template for the names of sources in the source map, and thus in stack traces
 * @returns the code of all workflows for the installed SDK, which takes some seconds
 */
export async function bundleWorkflows(
  workflowInterceptorModules: string[],
  sourceName = '[absolute-resource-path]',
): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: packageFiles.workflows,
    workflowInterceptorModules,
    payloadConverterPath: packageFiles.payloadConverter,
    failureConverterPath: packageFiles.workflowFailureConverter,
    // All executions of a worker share these modules, which have no state: evaluating them again would take 1 ms each time.
    preloadModules: [packageFiles.workflows, packageFiles.payloadConverter, packageFiles.workflowFailureConverter],
    logger: new DefaultLogger('WARN'),
    webpackConfigHook(config) {
      Object.assign(config.resolve?.alias ?? {}, { [INTERCEPTORS_PACKAGE]: interceptorsPackage() });
      Object.assign(config.output ?? {}, { devtoolModuleFilenameTemplate: sourceName });
      return config;
    },
  });
  return code;
}

/**
 * Returns the bundle of a worker: that of the build, unless the SDK has another version or there are further interceptors.
 * With `encodesFailures`, its workflows pass the texts of failures to the codec.
 */
export async function workflowBundleOf(
  isTraced: boolean,
  encodesFailures: boolean,
  interceptorModules: readonly string[] = [],
): Promise<WorkflowBundleOption> {
  const codePath = isTraced ? tracedWorkflowBundlePath : workflowBundlePath;
  const { sdk } = JSON.parse(readFileSync(packageFiles.workflowBundleInfo, 'utf8')) as { sdk: string };
  const isBuilt = interceptorModules.length === 0 && sdk === sdkVersion();
  if (isBuilt && !encodesFailures) return { codePath };
  const modules = [...(isTraced ? [packageFiles.tracingInterceptors] : []), ...interceptorModules];
  const code = isBuilt ? await readFile(codePath, 'utf8') : await bundleWorkflows(modules);
  // In the first line, so that the lines of the source map stay the same.
  return { code: encodesFailures ? `globalThis.longhaulEncodesFailures=true;${code}` : code };
}
