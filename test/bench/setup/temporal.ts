import { LonghaulClient } from '../../../src/client/longhaul-client.ts';
import { acquireEmbeddedTemporal } from '../../../src/dev/server/join.ts';
import { temporalCliForTests } from '../../support/temporal-cli.ts';

/** A Temporal server, and a client whose uploads the workers of `environment` take. */
export interface Temporal {
  readonly client: LonghaulClient;
  readonly address: string;
  readonly serverPid: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

const TASK_QUEUE = 'bench';

/** Starts the embedded server on a database in `stateDir`. */
export async function startTemporal(stateDir: string): Promise<Temporal> {
  const server = await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0 });
  const client = await LonghaulClient.connect({ connection: { address: server.address }, taskQueue: TASK_QUEUE });
  return {
    client,
    address: server.address,
    serverPid: server.pid,
    environment: {
      LONGHAUL_STATE_DIR: stateDir,
      LONGHAUL_TASK_QUEUE: TASK_QUEUE,
      LONGHAUL_ANY_SOURCE: 'true',
      OPENAI_API_KEY: 'sk-bench',
    },
    close: async () => {
      await client.close();
      await server.release();
    },
  };
}
