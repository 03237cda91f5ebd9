import { DefaultFailureConverter } from '@temporalio/common';

/** A worker whose payloads pass a codec sets it at the start of the bundle (`src/worker/bundle.ts`). */
const { longhaulEncodesFailures = false } = globalThis as { readonly longhaulEncodesFailures?: boolean };

/** Messages and stack traces of failures pass the codec like other payloads, if the worker has one. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: longhaulEncodesFailures });
