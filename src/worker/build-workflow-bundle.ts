import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

async function writeBundle(path: string, workflowInterceptorModules: string[]): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: pathOf('../../workflows/index.js'),
    workflowInterceptorModules,
    payloadConverterPath: pathOf('../../workflows/payload-converter.js'),
    logger: new DefaultLogger('WARN'),
  });
  writeFileSync(pathOf(path), code);
}

/** Part of the build: workers then start without bundling the workflows first, which takes seconds. */
await writeBundle('../../workflow-bundle.js', []);
/** For workers that trace; the others don't carry its code. */
await writeBundle('../../workflow-bundle-traced.js', [pathOf('../tracing/workflow-interceptors.js')]);
