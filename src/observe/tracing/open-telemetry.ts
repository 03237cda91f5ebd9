import type * as Api from '@opentelemetry/api';
import type * as Otlp from '@opentelemetry/exporter-trace-otlp-http';
import type * as Resources from '@opentelemetry/resources';
import type * as Sdk from '@opentelemetry/sdk-trace-node';
import type * as TemporalClient from '@temporalio/interceptors-opentelemetry/lib/client/index.js';
import type * as TemporalWorker from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import { ConfigError } from '../../errors.ts';
import { INTERCEPTORS_PACKAGE, interceptorsPackage } from '../../package-files.ts';

/** With compatible versions: OpenTelemetry 3 is not compatible with Temporal's packages. */
const packages = [
  '@opentelemetry/api@1.9',
  '@opentelemetry/exporter-trace-otlp-http@0.223',
  '@opentelemetry/resources@2',
  '@opentelemetry/sdk-trace-node@2',
  `${INTERCEPTORS_PACKAGE}@1.24`,
] as const;

/** The packages of OpenTelemetry, which are optional. They are loaded only for traces. */
export interface OpenTelemetry {
  readonly api: typeof Api;
  readonly otlp: typeof Otlp;
  readonly resources: typeof Resources | ResourcesOfVersion1;
  readonly sdk: typeof Sdk;
  readonly client: typeof TemporalClient;
  readonly worker: typeof TemporalWorker;
}

interface ResourcesOfVersion1 {
  readonly Resource: new (attributes: Api.Attributes) => Resources.Resource;
  readonly detectResourcesSync: (config: { readonly detectors: readonly unknown[] }) => Resources.Resource;
  readonly envDetectorSync: unknown;
}

/** @param load for tests @throws ConfigError if one of them is not installed */
export async function loadOpenTelemetry(load = importAll): Promise<OpenTelemetry> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigError(
      `OTEL_… variables request traces, but packages are not installed. Run "npm install ${packages.join(' ')}".`,
      { cause: error },
    );
  }
}

/** The service, and what OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say, which takes precedence. */
export function resourceOf(resources: OpenTelemetry['resources'], service: string): Resources.Resource {
  const attributes = { 'service.name': service };
  if ('resourceFromAttributes' in resources) {
    const environment = resources.detectResources({ detectors: [resources.envDetector] });
    return resources.resourceFromAttributes(attributes).merge(environment);
  }
  const environment = resources.detectResourcesSync({ detectors: [resources.envDetectorSync] });
  return new resources.Resource(attributes).merge(environment);
}

async function importAll(): Promise<OpenTelemetry> {
  const interceptors = interceptorsPackage();
  const [api, otlp, resources, sdk, client, worker] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-node'),
    import(`${interceptors}/lib/client/index.js`) as Promise<typeof TemporalClient>,
    import(`${interceptors}/lib/worker/index.js`) as Promise<typeof TemporalWorker>,
  ]);
  return { api, otlp, resources, sdk, client, worker };
}
