import type * as Api from '@opentelemetry/api';
import type * as Otlp from '@opentelemetry/exporter-trace-otlp-http';
import type * as Resources from '@opentelemetry/resources';
import type * as Sdk from '@opentelemetry/sdk-trace-node';
import type * as TemporalClient from '@temporalio/interceptors-opentelemetry/lib/client/index.js';
import type * as TemporalWorker from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import { ConfigError } from '../../errors.ts';

/** With compatible versions: the newest versions of OpenTelemetry are not compatible with Temporal's package. */
const packages = [
  '@opentelemetry/api@1.9',
  '@opentelemetry/exporter-trace-otlp-http@0.57',
  '@opentelemetry/resources@1',
  '@opentelemetry/sdk-trace-node@1',
  '@temporalio/interceptors-opentelemetry@1.24',
] as const;

/** The packages of OpenTelemetry, which are optional. They are loaded only for traces. */
export interface OpenTelemetry {
  readonly api: typeof Api;
  readonly otlp: typeof Otlp;
  readonly resources: typeof Resources;
  readonly sdk: typeof Sdk;
  readonly client: typeof TemporalClient;
  readonly worker: typeof TemporalWorker;
}

/** @param load for tests @throws ConfigError if one of them is not installed */
export async function loadOpenTelemetry(load = importAll): Promise<OpenTelemetry> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigError(
      `OTEL_… variables request traces, but packages are not installed. Run npm install ${packages.join(' ')}`,
      { cause: error },
    );
  }
}

async function importAll(): Promise<OpenTelemetry> {
  const [api, otlp, resources, sdk, client, worker] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-node'),
    import('@temporalio/interceptors-opentelemetry/lib/client/index.js'),
    import('@temporalio/interceptors-opentelemetry/lib/worker/index.js'),
  ]);
  return { api, otlp, resources, sdk, client, worker };
}
