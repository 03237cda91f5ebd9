import type { ActivityTask, ActivityWorld, Resolution } from './activity-task.ts';
import type { Execution } from './execution.ts';
import type { Command, Failure, Payload, StartInfo } from './run.ts';

export interface ExecutionStart extends StartInfo {
  readonly input: readonly Payload[];
  readonly memo?: Readonly<Record<string, Payload>>;
  readonly searchAttributes?: Readonly<Record<string, Payload>>;
  /** As of the execution before it. */
  readonly isToldToPause?: boolean;
  /** Activities of the executions before it. */
  readonly scheduled?: number;
  /** Of the chain of executions with this workflow ID, counted from 1. */
  readonly number: number;
}

export type Close =
  | { readonly status: 'completed'; readonly result: Payload | undefined }
  | { readonly status: 'failed'; readonly failure: Failure }
  | { readonly status: 'cancelled' }
  | { readonly status: 'continued'; readonly command: Command };

/** An update, from the view of its caller. */
export interface Update {
  readonly name: string;
  readonly input: unknown;
  state: 'sent' | 'accepted' | 'rejected' | 'completed' | 'failed' | 'lost';
  value?: unknown;
  failure?: Failure;
}

export interface ExecutionWorld extends ActivityWorld {
  /** History events after which the server suggests continue-as-new. */
  readonly suggestAfterEvents: number;
  readonly onScheduled: (execution: Execution, task: ActivityTask) => void;
  readonly onResolved: (execution: Execution, task: ActivityTask, resolution: Resolution) => void;
  readonly onActivated: (execution: Execution) => Promise<void>;
  readonly onClosed: (execution: Execution, close: Close) => void;
  readonly onAnyCommand: (command: Command) => void;
  /** Of commands about other workflows. */
  readonly onCommand: (execution: Execution, command: Command) => void;
  readonly violation: (rule: string, text: string) => void;
}
