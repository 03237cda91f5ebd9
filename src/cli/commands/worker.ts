import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../errors.ts';
import type { WorkerDeploymentVersion } from '../../worker/options.ts';
import { withBackend } from '../backend.ts';
import { interrupted, type CliContext } from '../context.ts';
import { permittedSources, type PermissionOptions } from '../options/permission-options.ts';

interface WorkerCommandOptions extends PermissionOptions {
  readonly slots?: number;
  /** Bytes per second. */
  readonly limit?: number;
  readonly roles?: ('control' | 'transfer')[];
  /** Seconds. */
  readonly grace?: number;
  readonly nexus?: boolean;
  readonly deployment?: string;
  readonly buildId?: string;
  readonly metricsPort?: number;
  readonly metricsHost?: string;
}

export async function workerCommand(context: CliContext, options: WorkerCommandOptions): Promise<void> {
  const { config } = context;
  const deployment = deploymentOf(config, options);
  const sources = permittedSources(context, options);
  const graceSeconds = options.grace ?? 0;
  context.allowLongerEnd(graceSeconds * 1000);
  const port = options.metricsPort ?? config.metricsPort;
  const settings = { logLevel: 'info', keepsMetrics: port !== undefined, needsWorker: true } as const;
  await withBackend(context, settings, async ({ startWorker, address, uiUrl, sdkMetricsUrl }) => {
    const host = options.metricsHost ?? config.metricsHost;
    const destinations = [...config.destinations.keys()];
    // Only a worker with metrics loads their code.
    const metrics =
      port === undefined
        ? undefined
        : await (
            await import('../../observe/metrics/metrics-server.ts')
          ).openWorkerMetrics({ port, host, sdkMetricsUrl }, destinations);
    const worker = await startWorker(sources, {
      transferSlots: options.slots,
      limitBytesPerSecond: options.limit,
      roles: options.roles,
      shutdownGraceMs: graceSeconds * 1000,
      deployment,
      nexus: options.nexus,
      metrics: metrics?.options,
    });
    const running = worker.run();
    metrics?.server.watch(() => worker.isReady());
    const version = deployment ? ` as ${deployment.deploymentName} ${deployment.buildId}` : '';
    if (metrics) context.note(`metrics on ${metrics.server.url}/metrics, health on /healthz and /readyz`);
    context.note(`worker on ${address}${version} polls ${worker.taskQueues.join(', ')}`);
    if (uiUrl) context.note(`Temporal UI: ${uiUrl}`);
    await Promise.race([running, interrupted(context.signal)]);
    if (graceSeconds > 0) context.note(`shutting down: waiting up to ${graceSeconds} s for parts in flight`);
    await worker.shutdown();
  });
}

/** @throws ConfigError if only the deployment or only the build is set */
function deploymentOf(config: Config, options: WorkerCommandOptions): WorkerDeploymentVersion | undefined {
  const deploymentName = options.deployment ?? config.deploymentName;
  const buildId = options.buildId ?? config.buildId;
  if (deploymentName !== undefined && buildId !== undefined) return { deploymentName, buildId };
  if (deploymentName === undefined && buildId === undefined) return undefined;
  throw new ConfigError(
    deploymentName === undefined
      ? `build ${buildId} requires a deployment. Set --deployment or LONGHAUL_DEPLOYMENT_NAME.`
      : `deployment ${deploymentName} requires a build ID. Set --build-id or LONGHAUL_BUILD_ID.`,
  );
}
