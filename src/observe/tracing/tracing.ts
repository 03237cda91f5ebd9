import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import type { AroundCall } from '../../destinations/http/http.ts';

/** What brings spans into the client and the worker of a process. */
export interface Tracing {
  readonly clientInterceptor: WorkflowClientInterceptor;
  readonly activityInterceptor: ActivityInterceptorsFactory;
  /** Take the spans of workflows out of their sandbox. */
  readonly sinks: InjectedSinks<Sinks>;
  /** A span for each call to a destination. @param sendsHeaders whether the destination gets W3C's `traceparent` */
  readonly aroundCalls: (sendsHeaders: boolean) => AroundCall;
  /** Sends what is left; gives up after some seconds, and never rejects. */
  close(): Promise<void>;
}
