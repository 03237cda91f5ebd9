import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig, type Config } from '../../src/config/config.ts';
import { environmentSchema } from '../../src/config/environment.ts';
import { requireDestination } from '../../src/config/destinations.ts';

interface Service {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly command?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly deploy?: { readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string } } };
  readonly restart?: string;
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly volumes?: readonly string[];
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
}

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const text = read('docker-compose.yml');
const file = parse(text, { merge: true }) as ComposeFile;
const services = Object.entries(file.services);
/** Those that stay, in contrast to those that do their work and end. */
const staying = services.filter(([, { restart }]) => restart === 'unless-stopped');
const ofLonghaul = services.filter(([, { image }]) => image?.startsWith('longhaul:'));

/** Longhaul's configuration in that service, with its secrets in other files. */
function configOf(name: string, changes: Readonly<Record<string, string>> = {}): Config {
  const environment = file.services[name]?.environment ?? {};
  const withoutVariables = Object.entries(environment).map(([key, value]) => [key, value.replace(/^\$\{.*\}$/, '')]);
  return loadConfig({ TEMPORAL_CONFIG_FILE: '/dev/null', ...Object.fromEntries(withoutVariables), ...changes });
}

function withDirectory(run: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'longhaul-compose-'));
  try {
    run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('docker-compose.yml', () => {
  it('follows the Compose Specification', () => {
    const schema = JSON.parse(read('test/support/compose-spec.json')) as object;
    // Its formats are those of Go's durations and ports, which are not JSON Schema's.
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    ajv.validate(schema, file);
    expect(ajv.errors ?? []).toEqual([]);
  });

  it('pins each image that it pulls to a version', () => {
    const dockerfile = read('deploy/Dockerfile');
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    const pulled = services.filter(([, service]) => !service.build).map(([, service]) => service.image);
    expect(bases).not.toEqual([]);
    for (const image of [...bases, ...pulled]) expect(image).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+[\w.-]*$/);
  });

  it('does not use the deprecated auto-setup image, and uses one version of Temporal server and tools', () => {
    const images = services.map(([, service]) => service.image ?? '');
    expect(images.filter((image) => image.includes('auto-setup'))).toEqual([]);
    const versions = images.filter((image) => /temporalio\/(server|admin-tools):/.test(image));
    expect(new Set(versions.map((image) => image.split(':')[1])).size).toBe(1);
  });

  it('depends only on existing services, and on health only if they have a health check', () => {
    const needs = services.flatMap(([, service]) => Object.entries(service.depends_on ?? {}));
    const ofHealth = needs.filter(([, { condition }]) => condition === 'service_healthy');
    expect(needs.filter(([needed]) => !file.services[needed])).toEqual([]);
    expect(ofHealth.filter(([needed]) => !file.services[needed]?.healthcheck)).toEqual([]);
    expect(ofHealth).not.toEqual([]);
  });

  it('publishes every port on the loopback address only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('mounts only declared volumes and existing files', () => {
    const sources = services
      .flatMap(([, service]) => service.volumes ?? [])
      .map((volume) => volume.split(':')[0] ?? '');
    const files = sources.filter((source) => source.startsWith('./'));
    const named = sources.filter((source) => /^\w/.test(source));
    expect(files.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
    expect(named.toSorted()).toEqual(Object.keys(file.volumes).toSorted());
  });

  it('builds from a Dockerfile that copies only existing files', () => {
    const dockerfiles = services.flatMap(([, { build }]) => (build ? [build.dockerfile] : []));
    const copied = [...read('deploy/Dockerfile').matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths]) =>
      (paths ?? '').split(' '),
    );
    expect(new Set(dockerfiles)).toEqual(new Set(['deploy/Dockerfile']));
    expect(copied.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
    expect(copied).toContain('src');
  });

  it('mounts the data of the worker read-only, at its path on the host', () => {
    const [volume] = file.services['longhaul-worker']?.volumes ?? [];
    expect(volume).toMatch(/^(\$\{LONGHAUL_DATA_DIR:-[^}]+\}):\1:ro$/);
  });

  it('reads every secret from a file, and contains none', () => {
    const held = services.flatMap(([, service]) => Object.entries(service.environment ?? {}));
    const secret = held.filter(([variable]) => /KEY|PASSWORD|PWD|TOKEN|SECRET/.test(variable));
    const paths = secret.map(([, value]) => value.replace('/run/secrets/', ''));
    expect(secret.map(([variable]) => variable).filter((variable) => !variable.endsWith('_FILE'))).toEqual([]);
    expect(paths.toSorted()).toEqual(Object.keys(file.secrets).toSorted());
    for (const [, { command = [], environment = {}, secrets = [] }] of services) {
      const named = JSON.stringify([command, environment]).matchAll(/\/run\/secrets\/([\w-]+)/g);
      expect(new Set([...named].map(([, name]) => name))).toEqual(new Set(secrets));
    }
  });

  it('keeps its secrets in an ignored directory, with commands that create them', () => {
    const ignored = read('.gitignore').split('\n');
    for (const [name, secret] of Object.entries(file.secrets)) {
      expect(secret.file).toBe(`.secrets/${name}`);
    }
    expect(ignored).toContain('.secrets/');
    const commands = [...text.matchAll(/^# {3}((?:mkdir|for) .*)$/gm)].map(([, command]) => command);
    withDirectory((directory) => {
      const environment = { PATH: process.env['PATH'], OPENAI_API_KEY: 'sk-1' };
      execFileSync('bash', ['--norc', '-euc', commands.join('\n')], { cwd: directory, env: environment });
      const made = Object.values(file.secrets).map((secret) =>
        readFileSync(join(directory, secret.file), 'utf8').trim(),
      );
      expect(made.toSorted()).toEqual([expect.stringMatching(/^\w{32}$/), expect.stringMatching(/^\w{32}$/), 'sk-1']);
      expect(statSync(join(directory, '.secrets')).mode & 0o777).toBe(0o700);
    });
  });

  it('limits the CPUs and the memory of every service', () => {
    const unlimited = services.filter(([, { deploy }]) => {
      const { cpus, memory } = deploy?.resources.limits ?? { cpus: '', memory: '' };
      return !(Number(cpus) > 0) || !/^\d+[MG]$/.test(memory);
    });
    expect(unlimited.map(([name]) => name)).toEqual([]);
  });

  it('has a health check for every service that keeps running', () => {
    expect(staying.length).toBeGreaterThan(5);
    expect(staying.filter(([, { healthcheck }]) => !healthcheck).map(([name]) => name)).toEqual([]);
  });

  it('checks the readiness of the worker on the port that Prometheus scrapes', () => {
    const { metricsPort, metricsHost } = configOf('longhaul-worker');
    expect(metricsHost).toBe('0.0.0.0');
    expect(file.services['longhaul-worker']?.healthcheck?.test.join(' ')).toContain(
      `http://127.0.0.1:${metricsPort}/readyz`,
    );
    expect(read('deploy/prometheus.yml')).toContain(`longhaul-worker:${metricsPort}`);
  });

  it('sets only variables of Longhaul that its configuration has', () => {
    const known = Object.keys(environmentSchema.shape);
    for (const [name, { environment = {} }] of ofLonghaul) {
      const variables = Object.keys(environment).filter((variable) => /^(LONGHAUL|OPENAI)_(?!API_KEY)/.test(variable));
      expect(variables.filter((variable) => !known.includes(variable))).toEqual([]);
      expect(() => configOf(name)).not.toThrow();
    }
    expect(configOf('longhaul-worker')).toMatchObject({ host: 'compose', temporal: { address: 'temporal:7233' } });
  });

  it('passes the key in the secret to the worker', () => {
    const variable = 'OPENAI_API_KEY_FILE';
    const secretPath = file.services['longhaul-worker']?.environment?.[variable];
    expect(secretPath).toBe('/run/secrets/openai-api-key');
    withDirectory((directory) => {
      const path = join(directory, 'openai-api-key');
      writeFileSync(path, 'sk-1\n');
      const { apiKey } = requireDestination(configOf('longhaul-worker', { [variable]: path }), 'default');
      expect(apiKey).toMatchObject({ last: 'sk-1' });
    });
  });

  it('runs only commands that Longhaul has', () => {
    const known = [...read('src/cli/program.ts').matchAll(/\.command\('([\w-]+)/g)].map(([, name]) => name);
    for (const [, { command = ['worker'] }] of ofLonghaul) expect(known).toContain(command[0]);
  });

  it('configures the data source and the dashboard of Grafana', () => {
    const { configs = [], volumes = [] } = file.services['grafana'] ?? {};
    expect(configs.map(({ source }) => source).toSorted()).toEqual(Object.keys(file.configs).toSorted());
    const contents = Object.values(file.configs).map(({ content }) => parse(content) as object);
    expect(contents).toEqual([
      expect.objectContaining({
        datasources: [expect.objectContaining({ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true })],
      }),
      expect.objectContaining({
        providers: [expect.objectContaining({ options: { path: '/var/lib/grafana/dashboards' } })],
      }),
    ]);
    expect(volumes.some((volume) => volume.includes('grafana-dashboard.json:/var/lib/grafana/dashboards/'))).toBe(true);
  });

  it('keeps closed uploads for 30 days or longer', () => {
    expect(Number(/--retention (\d+)d/.exec(text)?.[1])).toBeGreaterThanOrEqual(30);
  });

  it('starts the local API only with the profile of the demo', () => {
    const always = services.filter(([, service]) => !service.profiles).map(([name]) => name);
    expect(file.services['local-api']?.profiles).toEqual(['demo']);
    expect(always).toContain('longhaul-worker');
    expect(always).not.toContain('local-api');
  });
});
