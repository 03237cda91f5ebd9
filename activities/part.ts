import { Context } from '@temporalio/activity';
import { QueryName } from '../src/contracts/names.ts';
import type { SharedLimit, UploadLimit, UploadProgress } from '../src/contracts/upload.ts';
import type { PartWatch } from '../src/destinations/port.ts';
import { both } from '../src/destinations/sent-part.ts';
import type { ActivityDependencies, UploadRatesKeeper, WatchedPart } from './dependencies.ts';

const QUERY_TIMEOUT_MS = 5000;

type Rated = ReturnType<UploadRatesKeeper['enter']>;

/** Reports the end of an attempt to send a part to the watch of the worker. @param body throws the failure of the activity */
export async function watchedPart<T>(
  { watchPart }: ActivityDependencies,
  part: WatchedPart,
  body: (watch: PartWatch | undefined) => Promise<T>,
): Promise<T> {
  const watch = watchPart?.(part);
  try {
    const result = await body(watch);
    watch?.finished();
    return result;
  } catch (error) {
    watch?.finished(error);
    throw error;
  }
}

/** Returns the rates of this part: that of its upload, and the rate that its upload shares with others. */
export function enterRates(dependencies: ActivityDependencies, limit?: UploadLimit, shared?: SharedLimit) {
  const [own, common] = [enterOwn(dependencies, limit), enterShared(dependencies, shared)];
  const leave = () => {
    own?.leave();
    common?.leave();
  };
  return { pace: both(own?.pace, common?.pace), leave };
}

function enterOwn({ rates }: ActivityDependencies, limit: UploadLimit | undefined): Rated | undefined {
  const context = Context.current();
  // Undefined only for an activity without a workflow.
  const workflowId = context.info.workflowExecution?.workflowId ?? context.info.activityId;
  return rates?.enter(workflowId, limit, async () => {
    const { client } = context;
    const query = () => client.workflow.getHandle(workflowId).query<UploadProgress | null>(QueryName.progress);
    return (await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, query))?.limit;
  });
}

/** The shared rate cannot be changed while it is in effect. */
function enterShared({ rates }: ActivityDependencies, shared: SharedLimit | undefined): Rated | undefined {
  if (!shared) return undefined;
  const { key, bytesPerSecond } = shared;
  return rates?.enter(`shared:${key}`, { bytesPerSecond, revision: 0 }, () => Promise.resolve(undefined));
}
