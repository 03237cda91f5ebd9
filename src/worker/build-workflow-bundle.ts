import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** Part of the build: workers then start without bundling the workflows first, which takes seconds. */
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../../workflows/index.js', import.meta.url)),
  logger: new DefaultLogger('WARN'),
});
writeFileSync(new URL('../../workflow-bundle.js', import.meta.url), code);
