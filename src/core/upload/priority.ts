import type { UploadRequest } from '../../contracts/upload.ts';

/** Temporal's `Priority`, as much of it as a request says. */
export interface RequestPriority {
  readonly priorityKey?: number;
  readonly fairnessKey?: string;
  readonly fairnessWeight?: number;
}

/** What a request says about its place in the queues; what is left out is inherited. */
export function requestPriority(
  request: Pick<UploadRequest, 'priority' | 'fairnessKey' | 'fairnessWeight'>,
): RequestPriority {
  const { priority, fairnessKey, fairnessWeight } = request;
  return {
    ...(priority === undefined ? {} : { priorityKey: priority }),
    ...(fairnessKey === undefined ? {} : { fairnessKey }),
    ...(fairnessWeight === undefined ? {} : { fairnessWeight }),
  };
}
