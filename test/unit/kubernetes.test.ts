import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { loadConfig } from '../../src/config/config.ts';
import { DEFAULT_TASK_QUEUE, transferTaskQueue } from '../../src/contracts/names.ts';
import {
  configMapData,
  containerOf,
  deploymentOf,
  manifestNames,
  manifests,
  manifestText,
} from '../support/kubernetes.ts';

const page = readFileSync(new URL('../../docs/kubernetes.md', import.meta.url), 'utf8');
const components = ['control', 'transfer'] as const;

/** Time that a worker has after its grace time. */
const END_SECONDS = 20;

/** The options that the command gets from the arguments of a container. */
async function optionsOf(component: 'control' | 'transfer'): Promise<Readonly<Record<string, unknown>>> {
  const program = createProgram(process, () => {
    throw new Error('no command runs');
  });
  const worker = program.commands.find((command) => command.name() === 'worker');
  let options: Readonly<Record<string, unknown>> = {};
  worker?.action((parsed: Readonly<Record<string, unknown>>) => {
    options = parsed;
  });
  await program.parseAsync([...containerOf(component).args], { from: 'user' });
  return options;
}

describe('the manifests for Kubernetes', () => {
  it('are quoted unchanged in docs/kubernetes.md', () => {
    const quotes = [...page.matchAll(/<!-- deploy\/kubernetes\/(\S+) -->\n```yaml\n(.*?)```/gs)];
    expect(quotes.length).toBeGreaterThan(4);
    expect(page.match(/```yaml/g)).toHaveLength(quotes.length);
    for (const [, name = '', quote = ''] of quotes) expect(manifestText(name)).toContain(quote);
    for (const name of manifestNames()) expect(page).toContain(`\`${name}\``);
  });

  it.each(components)('start %s workers with existing options, for the default queue', async (component) => {
    expect(await optionsOf(component)).toMatchObject({ roles: [component] });
    const config = loadConfig({ ...configMapData(), TEMPORAL_CONFIG_FILE: '/dev/null' });
    expect(config.temporal?.address).toBe(configMapData()['TEMPORAL_ADDRESS']);
    expect(config.taskQueue).toBeUndefined();
    const { ports, startupProbe, livenessProbe, readinessProbe } = containerOf(component);
    expect(config).toMatchObject({ metricsPort: ports[0].containerPort, metricsHost: '0.0.0.0' });
    expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet)).toEqual([
      { path: '/healthz', port: ports[0].name },
      { path: '/healthz', port: ports[0].name },
      { path: '/readyz', port: ports[0].name },
    ]);
  });

  it.each(components)('allow %s workers their grace period and their exit before SIGKILL', async (component) => {
    const { grace = 0 } = await optionsOf(component);
    const { terminationGracePeriodSeconds } = deploymentOf(component).spec.template.spec;
    expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(Number(grace) + END_SECONDS);
  });

  it.each(components)('select the pods of %s, and mount the key at the path in its variable', (component) => {
    const { metadata, spec } = deploymentOf(component);
    const budget = manifests(`${component}.yaml`).find(({ kind }) => kind === 'PodDisruptionBudget');
    expect(spec.selector.matchLabels).toEqual(metadata.labels);
    expect(spec.template.metadata.labels).toEqual(metadata.labels);
    expect(budget).toMatchObject({ spec: { selector: { matchLabels: metadata.labels } } });
    const mounts = spec.template.spec.containers[0].volumeMounts;
    const volumes = spec.template.spec.volumes.map(({ name }) => name);
    expect(mounts.map(({ name }) => name)).toEqual(volumes);
    const key = mounts.find(({ name }) => name === 'openai-key');
    expect(configMapData()['OPENAI_API_KEY_FILE']).toBe(`${key?.mountPath}/api-key`);
    expect(page).toContain('create secret generic longhaul-openai --from-file=api-key=');
  });

  it('permit the shared mount as a source, and scale by the queue of sources without a host', async () => {
    const { root, slots } = await optionsOf('transfer');
    const mounts = containerOf('transfer').volumeMounts.map(({ mountPath }) => mountPath);
    expect(mounts).toContain((root as readonly string[])[0]);
    const [scaled] = manifests('keda/scaled-object.yaml');
    expect(scaled).toMatchObject({
      spec: {
        scaleTargetRef: { name: deploymentOf('transfer').metadata.name },
        triggers: [
          {
            type: 'temporal',
            metadata: { taskQueue: transferTaskQueue(DEFAULT_TASK_QUEUE), targetQueueSize: String(slots) },
          },
        ],
      },
    });
  });

  it('contain no key, and use TLS for Temporal Cloud if there is an API key', () => {
    const text = manifestNames().map(manifestText).join('\n');
    expect(text).not.toMatch(/kind: Secret\b|stringData/);
    const { temporal } = loadConfig({
      ...configMapData(),
      TEMPORAL_CONFIG_FILE: '/dev/null',
      TEMPORAL_API_KEY: 'a-key',
    });
    expect(temporal?.connectionOptions).toMatchObject({ apiKey: 'a-key', tls: expect.anything() });
    expect(temporal?.connectionOptions.tls).not.toBe(false);
  });
});
