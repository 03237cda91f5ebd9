import type { Client } from '@temporalio/client';
import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { Sources } from '../../src/sources/sources.ts';
import { UploadsClient } from '../../src/destinations/openai.ts';

type Info = ConstructorParameters<typeof MockActivityEnvironment>[0];

/** What an activity sees of Temporal, without a server. */
export function mockActivity(info: Info = {}, client?: Client): MockActivityEnvironment {
  const logger = new DefaultLogger('ERROR', () => {});
  return new MockActivityEnvironment({ startToCloseTimeoutMs: 60_000, ...info }, { logger, ...(client && { client }) });
}

/** Ends the activity as a worker does that is told to stop. */
export function stopWorker(environment: MockActivityEnvironment): void {
  environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
}

/** Dependencies whose only destination is a client with these methods. */
export function withClient(methods: Partial<UploadsClient>): ActivityDependencies {
  const client = Object.assign(Object.create(UploadsClient.prototype) as UploadsClient, methods);
  return { destination: () => client, sources: new Sources() };
}

/** The failure that Temporal would record. */
export async function failureOf(running: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ApplicationFailure) return error;
  throw new Error(`this is no ApplicationFailure: ${String(error)}`);
}
