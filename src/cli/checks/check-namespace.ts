import type { LonghaulClient } from '../../client/longhaul-client.ts';
import { grpcCause, grpcFault, namespaceMissing, sentences } from '../../temporal/grpc-cause.ts';
import { ConfigError } from '../../errors.ts';

const CALL_TIMEOUT_MS = 5_000;

/** gRPC's numbers (grpc/grpc, doc/statuscodes.md). */
const GRPC_NOT_FOUND = 5;
const GRPC_DENIED = [7, 16];

/**
 * Asks Temporal for the namespace. Without it a command would wait for a worker, and the reason would appear nowhere.
 * A call that fails for another reason is left to the command.
 *
 * @throws ConfigError if the namespace doesn't exist, or this client may not use it
 */
export async function checkNamespace({ temporal: client }: LonghaulClient, address: string): Promise<void> {
  const { namespace } = client.options;
  const faultOf = async (call: () => Promise<unknown>) => {
    try {
      await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, call);
      return undefined;
    } catch (error) {
      return grpcFault(error);
    }
  };
  const fault = await faultOf(() => client.workflowService.describeNamespace({ namespace }));
  if (fault?.code === GRPC_NOT_FOUND) throw new ConfigError(sentences(namespaceMissing(namespace, ` at ${address}`)));
  if (!fault || !GRPC_DENIED.includes(fault.code)) return;
  // An authorizer may let a client use a namespace and not describe it.
  const isUnusable = await faultOf(() => client.workflowService.countWorkflowExecutions({ namespace }));
  if (!isUnusable || !GRPC_DENIED.includes(isUnusable.code)) return;
  const { problem, fix } = grpcCause(isUnusable);
  throw new ConfigError(sentences({ problem: `${problem}, for namespace "${namespace}" at ${address}`, fix }));
}
