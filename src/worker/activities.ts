import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import {
  createControlActivities,
  createTransferActivities,
  type ActivityDependencies,
  type ControlActivities,
  type TransferActivities,
  type UploadRatesKeeper,
} from '../../activities/index.ts';
import { workerSources } from '../config/sources.ts';
import { ConfigError } from '../errors.ts';
import { UploadRates } from '../pace/upload-rates.ts';
import type { SourceSettings } from '../sources/source-settings.ts';
import { Sources } from '../sources/sources.ts';
import { NamespaceAttributes } from './attributes.ts';
import { assertOneCopy } from './sdk-copies.ts';
import { currentWorkflow } from './sealing-workflow.ts';

export * from '../../activities/index.ts';

/** Options of the activities of your worker. */
export interface OwnWorkerOptions extends Pick<ActivityDependencies, 'destination'> {
  /** As in `WorkerOptions` of `longhaul/worker`. @defaultValue the worker reads no source */
  readonly sources?: SourceSettings | undefined;
  /** @defaultValue as in a worker of `createWorker`: `limitBytesPerSecond` of each upload applies */
  readonly rates?: UploadRatesKeeper;
}

/**
 * All activities, for your own worker that polls every queue.
 *
 * @throws ConfigError for invalid `sources`, without `destination`, and if the process uses two copies of Temporal's SDK
 */
export function createActivities(options: OwnWorkerOptions): ControlActivities & TransferActivities {
  // Programs without types can pass any value.
  const { destination, sources, rates = new UploadRates() } = (options as OwnWorkerOptions | undefined) ?? {};
  if (typeof destination !== 'function') {
    throw new ConfigError('"destination" is missing: pass the "get" of a "Destinations" of longhaul/worker');
  }
  // Activities of one copy have no context in a worker of the other.
  assertOneCopy('@temporalio/activity');
  const opened = new Sources(workerSources(sources), undefined, currentWorkflow);
  let attributes: NamespaceAttributes | undefined;
  const hasAttributes = async () => {
    const client = clientOfActivity();
    if (!client?.connection) return false;
    attributes ??= new NamespaceAttributes(client.connection, client.options?.namespace ?? 'default');
    return attributes.areKnown();
  };
  const dependencies = { destination, sources: opened, rates, hasAttributes };
  return { ...createControlActivities(dependencies), ...createTransferActivities(dependencies) };
}

/** Undefined in an environment of tests. */
function clientOfActivity(): Client | undefined {
  try {
    return Context.current().client;
  } catch {
    return undefined;
  }
}
