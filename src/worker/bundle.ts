import { readFile } from 'node:fs/promises';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { packageFiles } from '../package-files.ts';

/** The workflows, bundled at build time. Pass it to your own worker as `workflowBundle: { codePath }`. */
export const workflowBundlePath = packageFiles.workflowBundle;

/** The same with OpenTelemetry's interceptors. */
export const tracedWorkflowBundlePath = packageFiles.tracedWorkflowBundle;

/** Returns the bundle of a worker. With `encodesFailures`, its workflows pass the texts of failures to the codec. */
export async function workflowBundleOf(isTraced: boolean, encodesFailures: boolean): Promise<WorkflowBundleOption> {
  const codePath = isTraced ? tracedWorkflowBundlePath : workflowBundlePath;
  if (!encodesFailures) return { codePath };
  // In the first line, so that the lines of the source map stay the same.
  return { code: `globalThis.longhaulEncodesFailures=true;${await readFile(codePath, 'utf8')}` };
}
