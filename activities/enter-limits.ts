import { Context } from '@temporalio/activity';
import { QueryName } from '../src/contracts/names.ts';
import type { SharedLimit, UploadLimit, UploadProgress } from '../src/contracts/upload.ts';
import type { Pace } from '../src/destinations/http/multipart-part.ts';
import type { ActivityDependencies } from './dependencies.ts';

const ASK_TIMEOUT_MS = 5000;

interface Limited {
  readonly pace: Pace;
  readonly leave: () => void;
}

/** The limits of the part that this activity sends: that of its upload, and that which its upload shares with others. */
export function enterLimits(dependencies: ActivityDependencies, limit?: UploadLimit, shared?: SharedLimit): Limited {
  const entered = [enterOwn(dependencies, limit), enterShared(dependencies, shared)].filter((one) => one !== undefined);
  return {
    pace: (bytes) => {
      const turns = entered.map(({ pace }) => pace(bytes)).filter((turn) => turn !== undefined);
      return turns.length === 0 ? undefined : Promise.all(turns);
    },
    leave: () => entered.forEach(({ leave }) => leave()),
  };
}

function enterOwn({ limits }: ActivityDependencies, limit: UploadLimit | undefined): Limited | undefined {
  const context = Context.current();
  // Only an activity that no workflow started has no workflow.
  const workflowId = context.info.workflowExecution?.workflowId ?? context.info.activityId;
  return limits?.enter(workflowId, limit, async () => {
    const { client } = context;
    const ask = () => client.workflow.getHandle(workflowId).query<UploadProgress | null>(QueryName.progress);
    return (await client.withDeadline(Date.now() + ASK_TIMEOUT_MS, ask))?.limit;
  });
}

/** It cannot be changed while it is in effect. */
function enterShared({ limits }: ActivityDependencies, shared: SharedLimit | undefined): Limited | undefined {
  if (!shared) return undefined;
  const { key, bytesPerSecond } = shared;
  return limits?.enter(`shared:${key}`, { bytesPerSecond, revision: 0 }, () => Promise.resolve(undefined));
}
