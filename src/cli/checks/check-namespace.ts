import type { LonghaulClient } from '../../client/longhaul-client.ts';
import { grpcCause, grpcFault, namespaceMissing, sentences } from '../../temporal/grpc-cause.ts';
import { ConfigError } from '../../errors.ts';

const CALL_TIMEOUT_MS = 5_000;

/** gRPC's numbers (grpc/grpc, doc/statuscodes.md). */
const GRPC_NOT_FOUND = 5;
const GRPC_DENIED = [7, 16];

/**
 * Checks that the namespace exists. Without this check, a command would wait for a worker and print no reason. Ignores
 * other errors, which the command reports.
 *
 * @throws ConfigError if the namespace does not exist, or this client has no access to it
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
  // An authorizer can allow a client to use a namespace and deny it to describe the namespace.
  const isUnusable = await faultOf(() => client.workflowService.countWorkflowExecutions({ namespace }));
  if (!isUnusable || !GRPC_DENIED.includes(isUnusable.code)) return;
  const { problem, fix } = grpcCause(isUnusable);
  throw new ConfigError(sentences({ problem: `${problem}, for namespace "${namespace}" at ${address}`, fix }));
}
