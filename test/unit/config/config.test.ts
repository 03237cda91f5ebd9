import { hostname } from 'node:os';
import { join } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { isDebugging } from '../../../src/cli/run.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { requireDestination, withDefaultDestination } from '../../../src/config/destinations.ts';
import { storeHostIdentity } from '../../../src/config/host-identity.ts';
import { configScene } from '../../support/config-scene.ts';

const { scene, writeConfig, problemsOf } = configScene();

describe('loadConfig', () => {
  it('works with an empty environment', () => {
    const config = loadConfig(scene.bare);
    expect(config).toMatchObject({
      temporal: undefined,
      taskQueue: undefined,
      temporalCliPath: undefined,
      host: hostname(),
      transferSlots: undefined,
      limitBytesPerSecond: undefined,
      heartbeatIntervalMs: 5000,
      logLevel: undefined,
    });
    expect(config.stateDir).toMatch(/^\/.*longhaul/);
    expect(config.cacheDir).toMatch(/^\/.*longhaul/);
    expect(config.destinations.get('default')).toMatchObject({
      baseUrl: 'https://api.openai.com/v1',
      apiKeyFrom: 'OPENAI_API_KEY or OPENAI_API_KEY_FILE',
      apiKey: undefined,
    });
  });

  it("reads the worker deployment from Temporal's variables, unless Longhaul's variables are set", () => {
    const ofTemporal = { ...scene.bare, TEMPORAL_DEPLOYMENT_NAME: 'shared', TEMPORAL_WORKER_BUILD_ID: 'v1' };
    expect(loadConfig(ofTemporal)).toMatchObject({ deploymentName: 'shared', buildId: 'v1' });
    const both = { ...ofTemporal, LONGHAUL_DEPLOYMENT_NAME: 'uploads', LONGHAUL_BUILD_ID: '2' };
    expect(loadConfig(both)).toMatchObject({ deploymentName: 'uploads', buildId: '2' });
  });

  it('reads every variable of Longhaul', () => {
    const config = loadConfig({
      ...scene.bare,
      PATH: '/bin',
      LONGHAUL_STATE_DIR: '/var/state',
      LONGHAUL_CACHE_DIR: '/var/cache',
      LONGHAUL_TEMPORAL_CLI: '/opt/temporal',
      LONGHAUL_TASK_QUEUE: 'uploads',
      LONGHAUL_HOST: 'host-1',
      LONGHAUL_TRANSFER_SLOTS: '16',
      LONGHAUL_LIMIT: '50MiB/s',
      LONGHAUL_HEARTBEAT_INTERVAL_MS: '250',
      LONGHAUL_DEPLOYMENT_NAME: 'uploads',
      LONGHAUL_BUILD_ID: '2026-11-23.1',
      LONGHAUL_LOG_LEVEL: 'warn',
    });
    expect(config).toMatchObject({
      pathEnv: '/bin',
      stateDir: '/var/state',
      cacheDir: '/var/cache',
      temporalCliPath: '/opt/temporal',
      taskQueue: 'uploads',
      host: 'host-1',
      transferSlots: 16,
      limitBytesPerSecond: 50 * 1024 * 1024,
      heartbeatIntervalMs: 250,
      deploymentName: 'uploads',
      buildId: '2026-11-23.1',
      logLevel: 'warn',
    });
  });

  it('reads the name of the host from the environment, the config file and the state directory', async () => {
    const state = join(scene.dir, 'state');
    await mkdir(state);
    storeHostIdentity(state, { host: 'stored', earlier: ['earlier'] });
    const own = { ...scene.bare, LONGHAUL_STATE_DIR: state };
    expect(loadConfig(own)).toMatchObject({
      host: 'stored',
      otherHosts: ['earlier', hostname()],
      hostIsGiven: false,
    });
    // The state directory is that of the embedded server.
    expect(loadConfig({ ...own, TEMPORAL_ADDRESS: 'temporal:7233' })).toMatchObject({
      host: hostname(),
      otherHosts: [],
    });
    await writeConfig({ host: 'in-file' });
    expect(loadConfig(own)).toMatchObject({ host: 'in-file', otherHosts: [], hostIsGiven: true });
    const LONGHAUL_HOST = 'in-environment';
    expect(loadConfig({ ...own, LONGHAUL_HOST })).toMatchObject({
      host: LONGHAUL_HOST,
      otherHosts: [],
      hostIsGiven: true,
    });
  });

  it('rejects a host name that cannot be part of a task queue, with the setting that contains it', async () => {
    expect(problemsOf({ LONGHAUL_HOST: 'a b' })).toContain('LONGHAUL_HOST must not contain spaces');
    expect(problemsOf({ LONGHAUL_HOST: 'a'.repeat(201) })).toContain('LONGHAUL_HOST must have at most 200 bytes');
    await writeConfig({ host: 'a/b' });
    expect(problemsOf({})).toContain(`${scene.configPath}: host must not contain spaces`);
  });

  it('resolves relative directories against the working directory', () => {
    expect(loadConfig({ ...scene.bare, LONGHAUL_STATE_DIR: 'state' }).stateDir).toBe(join(process.cwd(), 'state'));
  });

  it('treats an empty or blank variable as not set', () => {
    const config = loadConfig({
      ...scene.bare,
      LONGHAUL_HOST: '',
      OPENAI_BASE_URL: '  ',
      OPENAI_API_KEY: '',
      TEMPORAL_ADDRESS: '',
    });
    expect(config.host).toBe(hostname());
    expect(config.temporal).toBeUndefined();
    expect(config.destinations.get('default')).toMatchObject({
      baseUrl: 'https://api.openai.com/v1',
      apiKey: undefined,
    });
  });

  it.each([
    ['HTTP://Gateway.INTERNAL:80/v1/', 'http://gateway.internal/v1'],
    ['https://[0:0::1]:443', 'https://[::1]'],
    ['https://gateway.internal/v1/?tenant=a#top', 'https://gateway.internal/v1?tenant=a'],
  ])('normalises the base URL %s', (given, expected) => {
    const config = loadConfig({ ...scene.bare, OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: given });
    expect(requireDestination(config, 'default').baseUrl).toBe(expected);
  });

  it('reads key, address, organisation and project as the official SDKs do', () => {
    const config = loadConfig({
      ...scene.bare,
      OPENAI_API_KEY: ' sk-1\n',
      OPENAI_BASE_URL: 'http://127.0.0.1:4010/v1//',
      OPENAI_ORG_ID: 'org-1',
      OPENAI_PROJECT_ID: 'proj-1',
    });
    expect(requireDestination(config, 'default')).toEqual({
      name: 'default',
      baseUrl: 'http://127.0.0.1:4010/v1',
      apiKey: 'sk-1',
      headers: { 'openai-organization': 'org-1', 'openai-project': 'proj-1' },
    });
  });

  it('reports all problems of variables, the config file and Temporal together', async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'ftp://x' } }, colour: 'red' });
    const message = problemsOf({
      LONGHAUL_TRANSFER_SLOTS: 'many',
      LONGHAUL_LIMIT: '1KiB/s',
      LONGHAUL_HEARTBEAT_INTERVAL_MS: '1',
      LONGHAUL_LOG_LEVEL: 'loud',
      OPENAI_BASE_URL: 'api.example.com',
      TEMPORAL_ADDRESS: 'http://temporal:7233',
    });
    for (const part of [
      'LONGHAUL_TRANSFER_SLOTS must be a whole number from 1 to 256',
      'LONGHAUL_LIMIT must be a rate of at least 128 KiB/s, for example 50MiB/s',
      'LONGHAUL_HEARTBEAT_INTERVAL_MS must be a whole number from 100 to 600000',
      'LONGHAUL_LOG_LEVEL must be one of trace, debug',
      'OPENAI_BASE_URL must be an http:// or https:// address',
      `${scene.configPath}: destinations.eu.baseUrl must be an http:// or https:// address`,
      'colour',
      'TEMPORAL_ADDRESS "http://temporal:7233" is not HOST:PORT',
    ]) {
      expect(message).toContain(part);
    }
    expect(message).not.toContain('\n');
  });

  it.each([
    ['"/var/lib/longhaul"', 'is enclosed in quotation marks. Remove them.'],
    ["'/var/lib/longhaul'", 'is enclosed in quotation marks. Remove them.'],
    ['~/longhaul', 'starts with "~", which only a shell replaces. Use an absolute path.'],
  ])('rejects the state directory %s, which would be created below the current directory', (path, problem) => {
    expect(problemsOf({ LONGHAUL_STATE_DIR: path })).toBe(`invalid configuration: LONGHAUL_STATE_DIR ${problem}`);
  });

  it.each(['0', '257', '1.5', 'x'])('rejects %j slots', (slots) => {
    expect(problemsOf({ LONGHAUL_TRANSFER_SLOTS: slots })).toBe(
      'invalid configuration: LONGHAUL_TRANSFER_SLOTS must be a whole number from 1 to 256.',
    );
  });

  it('does not repeat a secret in an invalid property', async () => {
    expect(problemsOf({ OPENAI_BASE_URL: 'https://user:hunter2@127.0.0.1/v1' })).not.toContain('hunter2');
    expect(problemsOf({ OPENAI_BASE_URL: 'sk-hunter2' })).not.toContain('hunter2');
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1', apiKey: 'sk-hunter2' } } });
    expect(problemsOf({})).toContain('apiKey');
    expect(problemsOf({})).not.toContain('hunter2');
    await writeFile(scene.configPath, '{"destinations": {"eu": {"apiKey": "sk-hunter2", } } }');
    expect(problemsOf({})).toContain(`cannot read ${scene.configPath} as JSON`);
    expect(problemsOf({})).not.toContain('hunter2');
  });
});

describe('precedence', () => {
  it('prefers the environment to the config file for the default destination', async () => {
    const headers = { 'x-a': 'b', 'openai-organization': 'org-file' };
    await writeConfig({
      destinations: { default: { baseUrl: 'https://127.0.0.1:1/file', apiKeyEnv: 'KEY', headers } },
    });
    const env = { ...scene.bare, KEY: 'sk-1', OPENAI_API_KEY: 'sk-2' };
    expect(requireDestination(loadConfig(env), 'default')).toEqual({
      name: 'default',
      baseUrl: 'https://127.0.0.1:1/file',
      apiKey: 'sk-1',
      headers,
    });
    const changed = loadConfig({ ...env, OPENAI_BASE_URL: 'https://127.0.0.1:2/env', OPENAI_ORG_ID: 'org-env' });
    expect(requireDestination(changed, 'default')).toEqual({
      name: 'default',
      baseUrl: 'https://127.0.0.1:2/env',
      apiKey: 'sk-1',
      headers: { 'x-a': 'b', 'openai-organization': 'org-env' },
    });
  });
});

describe('metrics and traces', () => {
  it('use the configured port, and the loopback address unless another address is set', () => {
    expect(loadConfig(scene.bare)).toMatchObject({ metricsPort: undefined, metricsHost: '127.0.0.1' });
    const named = { LONGHAUL_METRICS_PORT: '0', LONGHAUL_METRICS_HOST: '0.0.0.0' };
    expect(loadConfig({ ...scene.bare, ...named })).toMatchObject({ metricsPort: 0, metricsHost: '0.0.0.0' });
    expect(problemsOf({ LONGHAUL_METRICS_PORT: '70000' })).toContain('LONGHAUL_METRICS_PORT must be a whole number');
  });

  it.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, true],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
    [{ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, false],
    [{ OTEL_SDK_DISABLED: 'TRUE', OTEL_TRACES_EXPORTER: 'otlp' }, false],
    [{ OTEL_SERVICE_NAME: 'uploads' }, false],
  ])('%j enables traces: %s', (environment, tracing) => {
    expect(loadConfig({ ...scene.bare, ...environment }).tracing).toBe(tracing);
  });

  it('support only OTLP, and headers only for a destination with `traceHeaders`', async () => {
    expect(problemsOf({ OTEL_TRACES_EXPORTER: 'zipkin' })).toContain('OTEL_TRACES_EXPORTER must be otlp or none');
    await writeConfig({ destinations: { gateway: { baseUrl: 'https://gateway.example/v1', traceHeaders: true } } });
    const { destinations } = loadConfig(scene.bare);
    expect(destinations.get('gateway')).toMatchObject({ traceHeaders: true });
    expect(destinations.get('default')?.traceHeaders).toBeUndefined();
  });
});

describe('a changed configuration', () => {
  it('does not require a home directory, like the original', () => {
    const config = {
      destinations: new Map(),
      proxies: undefined,
      get cacheDir(): string {
        throw new Error('the home directory of this user is unknown');
      },
    };
    const copy = withDefaultDestination(config, { baseUrl: 'http://127.0.0.1:4010/v1', apiKey: 'sk-local' });
    expect(requireDestination(copy, 'default').apiKey).toBe('sk-local');
    expect(() => copy.cacheDir).toThrow('the home directory');
    expect(Object.keys(copy)).toEqual(Object.keys(config));
  });
});

describe('isDebugging', () => {
  it.each([
    [{}, false],
    [{ LONGHAUL_LOG_LEVEL: 'info' }, false],
    [{ LONGHAUL_LOG_LEVEL: 'debug' }, true],
    [{ LONGHAUL_LOG_LEVEL: 'trace', OPENAI_BASE_URL: 'broken' }, true],
  ])('with %j is %s', (env, expected) => {
    expect(isDebugging(env)).toBe(expected);
  });
});
