import type { Client } from '@temporalio/client';
import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { openAiLimits } from '../../src/contracts/limits.ts';
import { Sources } from '../../src/sources/sources.ts';
import type { Destination, FileStore } from '../../src/destinations/port.ts';

type Info = ConstructorParameters<typeof MockActivityEnvironment>[0];

/** What an activity sees of Temporal, without a server. */
export function mockActivity(info: Info = {}, client?: Client): MockActivityEnvironment {
  const logger = new DefaultLogger('ERROR', () => {});
  return new MockActivityEnvironment({ startToCloseTimeoutMs: 60_000, ...info }, { logger, ...(client && { client }) });
}

/** Cancels the activity like a worker that shuts down. */
export function stopWorker(environment: MockActivityEnvironment): void {
  environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
}

/** Methods of a destination and of its files. */
export type MockedMethods = Partial<Omit<Destination, 'files'> & FileStore>;

export function mockDestination({ list, retrieve, remove, read, ...methods }: MockedMethods): Destination {
  const limits = () => openAiLimits;
  return { limits, ...methods, files: { list, retrieve, remove, read } } as Destination;
}

/** Dependencies whose only destination is a client with these methods. */
export function withClient(methods: MockedMethods): ActivityDependencies {
  return { destination: () => mockDestination(methods), sources: new Sources() };
}

/** The failure that Temporal would record. */
export async function failureOf(running: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ApplicationFailure) return error;
  throw new Error(`not an ApplicationFailure: ${String(error)}`);
}
