import type { UploadRequest } from '../../contracts/upload.ts';
import { withoutUndefined } from '../objects.ts';

/** The properties of Temporal's `Priority` that a request has. */
export interface RequestPriority {
  readonly priorityKey?: number;
  readonly fairnessKey?: string;
  readonly fairnessWeight?: number;
}

/** Priority properties of a request. Omitted properties are inherited. */
export function requestPriority(
  request: Pick<UploadRequest, 'priority' | 'fairnessKey' | 'fairnessWeight'>,
): RequestPriority {
  const { priority, fairnessKey, fairnessWeight } = request;
  return withoutUndefined({ priorityKey: priority, fairnessKey, fairnessWeight });
}
