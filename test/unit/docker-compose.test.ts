import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Service {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: object;
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly volumes?: readonly string[];
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const text = read('docker-compose.yml');
const file = parse(text, { merge: true }) as ComposeFile;
const services = Object.entries(file.services);

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
    for (const image of [...bases, ...pulled]) expect(image).toMatch(/^[a-z0-9./-]+:\d+\.\d+[\w.-]*$/);
  });

  it('sets Temporal up without the deprecated auto-setup image, server and tools of one version', () => {
    const images = services.map(([, service]) => service.image ?? '');
    expect(images.filter((image) => image.includes('auto-setup'))).toEqual([]);
    const versions = images.filter((image) => /temporalio\/(server|admin-tools):/.test(image));
    expect(new Set(versions.map((image) => image.split(':')[1])).size).toBe(1);
  });

  it('waits only for services that there are, and for the health only of those that tell it', () => {
    const needs = services.flatMap(([, service]) => Object.entries(service.depends_on ?? {}));
    const ofHealth = needs.filter(([, { condition }]) => condition === 'service_healthy');
    expect(needs.filter(([needed]) => !file.services[needed])).toEqual([]);
    expect(ofHealth.filter(([needed]) => !file.services[needed]?.healthcheck)).toEqual([]);
    expect(ofHealth).not.toEqual([]);
  });

  it('opens every port on the loopback address only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('mounts only volumes that it declares and files that are there', () => {
    const sources = services
      .flatMap(([, service]) => service.volumes ?? [])
      .map((volume) => volume.split(':')[0] ?? '');
    const files = sources.filter((source) => source.startsWith('./'));
    const named = sources.filter((source) => /^\w/.test(source));
    expect(files.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
    expect(named.toSorted()).toEqual(Object.keys(file.volumes).toSorted());
  });

  it('builds from a Dockerfile whose copied files are there', () => {
    const dockerfiles = services.flatMap(([, { build }]) => (build ? [build.dockerfile] : []));
    const copied = [...read('deploy/Dockerfile').matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths]) =>
      (paths ?? '').split(' '),
    );
    expect(new Set(dockerfiles)).toEqual(new Set(['deploy/Dockerfile']));
    expect(copied.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
    expect(copied).toContain('src');
  });

  it('lets the worker read files under the path that they have outside, and write none', () => {
    const [volume] = file.services['longhaul-worker']?.volumes ?? [];
    expect(volume).toMatch(/^(\$\{LONGHAUL_DATA_DIR:-[^}]+\}):\1:ro$/);
  });

  it('takes keys from the environment, and names its only default password as one for development', () => {
    const secrets = services
      .flatMap(([, service]) => Object.entries(service.environment ?? {}))
      .filter(([variable]) => /KEY|PASSWORD|PWD/.test(variable))
      .map(([, value]) => value);
    expect(new Set(secrets)).toEqual(new Set(['${POSTGRES_PASSWORD:-for-development-only}', '${OPENAI_API_KEY:-}']));
  });

  it('keeps closed uploads for 30 days or longer', () => {
    expect(Number(/--retention (\d+)d/.exec(text)?.[1])).toBeGreaterThanOrEqual(30);
  });

  it('starts the local API only when the demo is asked for', () => {
    const always = services.filter(([, service]) => !service.profiles).map(([name]) => name);
    expect(file.services['local-api']?.profiles).toEqual(['demo']);
    expect(always).toContain('longhaul-worker');
    expect(always).not.toContain('local-api');
  });
});
