import { DefaultFailureConverter } from '@temporalio/common';

/** Temporal's SDK loads it by path: messages and stack traces of failures then pass the codec, too. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
