import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** What the inputs of most activities have. */
interface KnownInput {
  readonly uploadId?: string;
  readonly partNumber?: number;
  readonly destination?: string;
}

/** Puts the Upload and the part that an activity is about into each line of its log, beside Temporal's own ids. */
export const logUpload: ActivityInterceptorsFactory = () => {
  let about: Readonly<Record<string, unknown>> = {};
  return {
    inbound: {
      execute: (input, next) => {
        const { uploadId, partNumber, destination } = (input.args[0] ?? {}) as KnownInput;
        about = {
          uploadId,
          part: partNumber,
          destination,
        };
        return next(input);
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...about }) },
  };
};
