import { type ActivityInterceptorsFactory, Runtime } from '@temporalio/worker';
import { ALL_KINDS, rejectedKinds, type SourceSettings } from '../sources/source-settings.ts';
import type { NamespaceAttributes } from './attributes.ts';

/** Common properties of the inputs of activities. */
interface KnownInput {
  readonly uploadId?: string;
  readonly partNumber?: number;
  readonly destination?: string;
}

/** Adds the Upload and the part of an activity to each line of its log, in addition to Temporal's IDs. */
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

/** Registers the search attributes that a namespace does not have. If this is not permitted, logs one warning. */
export async function registerAttributes(attributes: NamespaceAttributes, namespace: string): Promise<void> {
  const lacking = await attributes.register();
  if (lacking.length === 0) return;
  const message = `namespace ${namespace} does not have the search attributes ${lacking.join(', ')}: lists do not show the state of uploads. Run "longhaul setup".`;
  Runtime.instance().logger.warn(message);
}

/**
 * Logs once which kinds of sources a worker rejects, and how to permit them. A worker that rejects every kind can read
 * nothing, so that this is a warning. If some kind is listed, the others are excluded on purpose.
 */
export function warnOfRejectedSources(settings: SourceSettings | undefined): void {
  const kinds = rejectedKinds(settings);
  if (kinds.length === 0) return;
  const list = new Intl.ListFormat('en-GB').format(kinds);
  const message = `this worker rejects all ${list}, because none is permitted. Permit those that callers can use, or set --any-source.`;
  Runtime.instance().logger[kinds.length === ALL_KINDS ? 'warn' : 'info'](message);
}
