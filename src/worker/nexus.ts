import { jsonDigest } from '../json-digest.ts';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { getClient, startWorkflow, WorkflowRunOperationHandler } from '@temporalio/nexus';
import * as nexus from 'nexus-rpc';
import { MemoName, WorkflowName } from '../contracts/names.ts';
import { TextLimits } from '../contracts/limits.ts';
import { longhaulService, type NexusOptions } from '../contracts/nexus.ts';
import { isPlainObject } from '../core/payload.ts';
import { textUpTo } from '../core/text/check.ts';
import { isOpen } from '../temporal/workflow-status.ts';

/** The Nexus service of a worker of the control queue, whose workflows it starts. */
export function createNexusService() {
  return nexus.serviceHandler(longhaulService, {
    uploadFile: jobOperation(WorkflowName.uploadFile),
    uploadSplitFile: jobOperation(WorkflowName.uploadSplitFile),
  });
}

/** An upload can complete between two calls. */
const MOST_TRIES = 3;

/**
 * Starts a workflow, attaches to the same job if it is running, or returns the result of the same job if it is completed,
 * as the library does.
 */
function jobOperation<Input extends NexusOptions, Result>(
  workflowType: keyof typeof WorkflowName,
): nexus.OperationHandler<Input, Result> {
  const started = (policy: 'FAIL' | 'USE_EXISTING') =>
    new WorkflowRunOperationHandler<Input, Result>((context, input) => {
      const { workflowId, request, identity } = jobOf(workflowType, context, input);
      return startWorkflow<(request: unknown) => Promise<Result>>(context, workflowType, {
        workflowId,
        args: [request],
        memo: { [MemoName.identity]: identity },
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
        workflowIdConflictPolicy: policy,
      });
    });
  const start = started('FAIL');
  const attach = started('USE_EXISTING');
  return {
    async start(context, input) {
      for (let tries = 1; ; tries++) {
        try {
          return await start.start(context, input);
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError) || tries === MOST_TRIES) throw error;
        }
        const { workflowId, identity } = jobOf(workflowType, context, input);
        const handle = getClient().workflow.getHandle<(request: unknown) => Promise<Result>>(workflowId);
        const { status, memo, type } = await handle.describe();
        if (type !== workflowType || memo?.[MemoName.identity] !== identity) {
          const message = `the ID "${workflowId}" belongs to another job. Use another "workflowId"`;
          throw new nexus.HandlerError('BAD_REQUEST', message, { retryableOverride: false });
        }
        if (isOpen(status.name)) return attach.start(context, input);
        if (status.name === 'COMPLETED') {
          return nexus.HandlerStartOperationResult.sync(await handle.result());
        }
      }
    },
    cancel: (context, token) => start.cancel(context, token),
  };
}

/**
 * The request without the options of the operation. The first activity of the workflow checks it.
 *
 * @throws HandlerError if no workflow could be started, because Nexus retries any other error
 */
export function jobOf(
  workflowType: string,
  { requestId }: Pick<nexus.StartOperationContext, 'requestId'>,
  input: NexusOptions,
) {
  const given: unknown = input;
  if (!isPlainObject(given)) {
    throw new nexus.HandlerError('BAD_REQUEST', 'the input must be an object, the request of an upload');
  }
  const { workflowId = `longhaul-nexus-${requestId}`, ...request } = input;
  const problem = textUpTo(TextLimits.parentWorkflowId)(workflowId);
  if (problem !== undefined) throw new nexus.HandlerError('BAD_REQUEST', `"workflowId" ${problem}`);
  // A converter can order the properties in another way.
  const properties = Object.entries(request).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return { workflowId, request, identity: `nexus-${jsonDigest([workflowType, properties], 24)}` };
}
