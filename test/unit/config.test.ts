import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  childEnvironment,
  isDebugging,
  loadConfig,
  requireDestination,
  withDefaultDestination,
} from '../../src/config.ts';
import { ConfigError } from '../../src/errors.ts';

let dir: string;
let configPath: string;
/** An environment without the files of whoever runs this. */
let bare: Record<string, string>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-config-'));
  configPath = join(dir, 'config.json');
  await writeFile(configPath, '{}');
  bare = { LONGHAUL_CONFIG: configPath, TEMPORAL_CONFIG_FILE: join(dir, 'no-such.toml') };
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

const writeConfig = (content: unknown): Promise<void> => writeFile(configPath, JSON.stringify(content));

function problemsOf(env: Record<string, string>): string {
  try {
    loadConfig({ ...bare, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('this configuration has no problem');
}

describe('loadConfig', () => {
  it('works with an empty environment', () => {
    const config = loadConfig(bare);
    expect(config).toMatchObject({
      temporal: undefined,
      taskQueue: undefined,
      temporalCliPath: undefined,
      host: hostname(),
      transferSlots: 8,
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

  it('reads every variable of its own', () => {
    const config = loadConfig({
      ...bare,
      PATH: '/bin',
      LONGHAUL_STATE_DIR: '/var/state',
      LONGHAUL_CACHE_DIR: '/var/cache',
      LONGHAUL_TEMPORAL_CLI: '/opt/temporal',
      LONGHAUL_TASK_QUEUE: 'uploads',
      LONGHAUL_HOST: 'host-1',
      LONGHAUL_TRANSFER_SLOTS: '16',
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
      heartbeatIntervalMs: 250,
      deploymentName: 'uploads',
      buildId: '2026-11-23.1',
      logLevel: 'warn',
    });
  });

  it('takes relative directories from the working directory', () => {
    expect(loadConfig({ ...bare, LONGHAUL_STATE_DIR: 'state' }).stateDir).toBe(join(process.cwd(), 'state'));
  });

  it('takes an empty or blank variable for one that is not set', () => {
    const config = loadConfig({
      ...bare,
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

  it('reads key, address, organisation and project as the official SDKs do', () => {
    const config = loadConfig({
      ...bare,
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

  it('names every problem at once, those of variables, file and Temporal', async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'ftp://x' } }, colour: 'red' });
    const message = problemsOf({
      LONGHAUL_TRANSFER_SLOTS: 'many',
      LONGHAUL_HEARTBEAT_INTERVAL_MS: '1',
      LONGHAUL_LOG_LEVEL: 'loud',
      OPENAI_BASE_URL: 'api.example.com',
      TEMPORAL_ADDRESS: 'http://temporal:7233',
    });
    for (const part of [
      'LONGHAUL_TRANSFER_SLOTS must be a whole number from 1 to 256',
      'LONGHAUL_HEARTBEAT_INTERVAL_MS must be a whole number from 100 to 600000',
      'LONGHAUL_LOG_LEVEL must be one of trace, debug',
      'OPENAI_BASE_URL must be an http:// or https:// address',
      `${configPath}: destinations.eu.baseUrl must be an http:// or https:// address`,
      'colour',
      'TEMPORAL_ADDRESS "http://temporal:7233" is not HOST:PORT',
    ]) {
      expect(message).toContain(part);
    }
    expect(message).not.toContain('\n');
  });

  it.each(['0', '257', '1.5', 'x'])('refuses %j slots', (slots) => {
    expect(problemsOf({ LONGHAUL_TRANSFER_SLOTS: slots })).toBe(
      'wrong configuration: LONGHAUL_TRANSFER_SLOTS must be a whole number from 1 to 256',
    );
  });

  it('repeats no secret that stands in the wrong place', async () => {
    expect(problemsOf({ OPENAI_BASE_URL: 'https://user:hunter2@127.0.0.1/v1' })).not.toContain('hunter2');
    expect(problemsOf({ OPENAI_BASE_URL: 'sk-hunter2' })).not.toContain('hunter2');
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1', apiKey: 'sk-hunter2' } } });
    expect(problemsOf({})).toContain('apiKey');
    expect(problemsOf({})).not.toContain('hunter2');
    await writeFile(configPath, '{"destinations": {"eu": {"apiKey": "sk-hunter2", } } }');
    expect(problemsOf({})).toContain(`${configPath} can't be read as JSON`);
    expect(problemsOf({})).not.toContain('hunter2');
  });
});

describe('the config file', () => {
  it('adds destinations to the default one', async () => {
    await writeConfig({
      destinations: {
        'azure-eu': {
          baseUrl: 'https://127.0.0.1:1/openai/v1/',
          apiKeyEnv: 'AZURE_KEY',
          authHeader: 'api-key',
          query: { 'api-version': 'preview' },
          headers: { 'x-team': 'a' },
          completeEncoding: 'form',
          stallTimeoutMs: 5000,
          filesRequestsPerMinute: 600,
          purposes: ['special'],
        },
      },
    });
    const config = loadConfig({ ...bare, AZURE_KEY: 'k-1', OPENAI_API_KEY: 'sk-1' });
    expect([...config.destinations.keys()]).toEqual(['default', 'azure-eu']);
    expect(config.destinations.get('azure-eu')?.purposes).toEqual(['special']);
    expect(requireDestination(config, 'azure-eu')).toEqual({
      name: 'azure-eu',
      baseUrl: 'https://127.0.0.1:1/openai/v1',
      apiKey: 'k-1',
      authHeader: 'api-key',
      query: { 'api-version': 'preview' },
      headers: { 'x-team': 'a' },
      completeEncoding: 'form',
      stallTimeoutMs: 5000,
      filesRequestsPerMinute: 600,
    });
  });

  it('gives a destination the usual key unless it names another', async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1' } } });
    expect(requireDestination(loadConfig({ ...bare, OPENAI_API_KEY: 'sk-1' }), 'eu').apiKey).toBe('sk-1');
  });

  it('must exist when it is named', () => {
    expect(problemsOf({ LONGHAUL_CONFIG: '/no/such.json' })).toContain(
      'LONGHAUL_CONFIG names /no/such.json, which does not exist',
    );
  });

  it.each([
    ['a list', '[]'],
    ['a text', '"x"'],
    ['a setting that is unknown', '{"destinations": {"eu": {"baseUrl": "https://127.0.0.1", "colour": 1}}}'],
    [
      'a limit of requests that is too low to be kept',
      '{"destinations": {"eu": {"baseUrl": "https://127.0.0.1", "filesRequestsPerMinute": 9}}}',
    ],
    [
      'an encoding that is unknown',
      '{"destinations": {"eu": {"baseUrl": "https://127.0.0.1", "completeEncoding": "xml"}}}',
    ],
  ])('is refused with %s', async (_, content) => {
    await writeFile(configPath, content);
    expect(problemsOf({})).toContain(configPath);
  });
});

describe('precedence', () => {
  it('puts the environment before the file for the default destination', async () => {
    const headers = { 'x-a': 'b', 'openai-organization': 'org-file' };
    await writeConfig({
      destinations: { default: { baseUrl: 'https://127.0.0.1:1/file', apiKeyEnv: 'KEY', headers } },
    });
    const env = { ...bare, KEY: 'sk-1', OPENAI_API_KEY: 'sk-2' };
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

describe('a key in a file', () => {
  let keyPath: string;

  beforeEach(async () => {
    keyPath = join(dir, 'api-key');
    await writeFile(keyPath, 'sk-file\n');
  });

  const keyOf = (env: Record<string, string>, name = 'default'): string =>
    requireDestination(loadConfig({ ...bare, ...env }), name).apiKey;

  it('is read without the line end that editors and echo leave', () => {
    expect(keyOf({ OPENAI_API_KEY_FILE: keyPath })).toBe('sk-file');
    expect(keyOf({ OPENAI_API_KEY_FILE: keyPath, OPENAI_API_KEY: ' ' })).toBe('sk-file');
  });

  it('comes after the variable with the key itself', () => {
    expect(keyOf({ OPENAI_API_KEY_FILE: keyPath, OPENAI_API_KEY: 'sk-variable' })).toBe('sk-variable');
  });

  it('is named for any destination, by its variable or in the config file', async () => {
    await writeConfig({
      destinations: {
        default: { baseUrl: 'https://127.0.0.1', apiKeyFile: keyPath },
        eu: { baseUrl: 'https://127.0.0.1', apiKeyEnv: 'EU_KEY' },
        us: { baseUrl: 'https://127.0.0.1', apiKeyEnv: 'US_KEY', apiKeyFile: keyPath },
      },
    });
    expect(keyOf({})).toBe('sk-file');
    expect(keyOf({ OPENAI_API_KEY: 'sk-variable' })).toBe('sk-variable');
    expect(keyOf({ EU_KEY_FILE: keyPath }, 'eu')).toBe('sk-file');
    expect(keyOf({}, 'us')).toBe('sk-file');
    expect(keyOf({ US_KEY: 'sk-us' }, 'us')).toBe('sk-us');
  });

  it("of a destination is not replaced by the usual service's key", async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1', apiKeyFile: keyPath } } });
    const usual = { OPENAI_API_KEY: 'sk-usual', OPENAI_API_KEY_FILE: '/no/such/usual-key' };
    expect(keyOf(usual, 'eu')).toBe('sk-file');
    await rm(keyPath);
    expect(() => keyOf(usual, 'eu')).toThrow(
      new ConfigError(`destination "eu" has no API key: its apiKeyFile ${keyPath} does not exist`),
    );
  });

  it('is asked for only by those who need the key', () => {
    const config = loadConfig({ ...bare, OPENAI_API_KEY_FILE: join(dir, 'absent') });
    expect(() => requireDestination(config, 'default')).toThrow(
      `destination "default" has no API key: the file ${join(dir, 'absent')} that OPENAI_API_KEY_FILE names does not exist`,
    );
  });

  it.each([
    ['empty', '\n', 'is empty'],
    ['of more than one line', 'sk-1\nsk-2\n', 'has characters that no key has'],
  ])('that is %s is refused without repeating it', async (_, content, problem) => {
    await writeFile(keyPath, content);
    expect(() => keyOf({ OPENAI_API_KEY_FILE: keyPath })).toThrow(problem);
    expect(() => keyOf({ OPENAI_API_KEY_FILE: keyPath })).not.toThrow(/sk-1/);
  });

  it('that is a directory is refused', () => {
    expect(() => keyOf({ OPENAI_API_KEY_FILE: dir })).toThrow(/that OPENAI_API_KEY_FILE names can't be read: EISDIR/);
  });

  it('has an absolute path in the config file', async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1', apiKeyFile: 'key' } } });
    expect(problemsOf({})).toContain('destinations.eu.apiKeyFile must be an absolute path');
  });
});

describe("Temporal's own configuration", () => {
  it('is used as soon as it names an address', () => {
    expect(loadConfig({ ...bare, TEMPORAL_ADDRESS: '127.0.0.1:7233' }).temporal).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'default',
    });
  });

  it('takes namespace, API key and TLS from the environment', () => {
    const { temporal } = loadConfig({
      ...bare,
      TEMPORAL_ADDRESS: '127.0.0.1:7233',
      TEMPORAL_NAMESPACE: 'uploads',
      TEMPORAL_API_KEY: 'tk-1',
    });
    expect(temporal).toMatchObject({ namespace: 'uploads', connectionOptions: { apiKey: 'tk-1' } });
    expect(temporal?.connectionOptions.tls).toBeTruthy();
  });

  it('takes profiles from its file', async () => {
    const file = join(dir, 'temporal.toml');
    await writeFile(file, '[profile.prod]\naddress = "127.0.0.1:7777"\nnamespace = "prod"\n');
    const env = { ...bare, TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' };
    expect(loadConfig(env).temporal).toMatchObject({ address: '127.0.0.1:7777', namespace: 'prod' });
    expect(loadConfig({ ...env, TEMPORAL_NAMESPACE: 'other' }).temporal?.namespace).toBe('other');
  });

  it('is a problem with a profile that there is not', async () => {
    const file = join(dir, 'temporal.toml');
    await writeFile(file, '[profile.prod]\naddress = "127.0.0.1:7777"\n');
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'absent' })).toContain(
      "Temporal's client configuration",
    );
  });

  it.each(['[::1]:7233', 'temporal', 'temporal.example:7233'])('takes the address %s', (address) => {
    expect(loadConfig({ ...bare, TEMPORAL_ADDRESS: address }).temporal?.address).toBe(address);
  });

  it.each(['https://temporal:7233', 'temporal:port', 'a b:1', ':7233'])('refuses the address %j', (address) => {
    expect(problemsOf({ TEMPORAL_ADDRESS: address })).toContain('is not HOST:PORT');
  });
});

describe('metrics and traces', () => {
  it('are served on the port that is named, on this machine alone where no address is', () => {
    expect(loadConfig(bare)).toMatchObject({ metricsPort: undefined, metricsHost: '127.0.0.1' });
    const named = { LONGHAUL_METRICS_PORT: '0', LONGHAUL_METRICS_HOST: '0.0.0.0' };
    expect(loadConfig({ ...bare, ...named })).toMatchObject({ metricsPort: 0, metricsHost: '0.0.0.0' });
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
  ])('%j asks for traces: %s', (environment, tracing) => {
    expect(loadConfig({ ...bare, ...environment }).tracing).toBe(tracing);
  });

  it('go by OTLP or not at all, and in headers only where a destination says so', async () => {
    expect(problemsOf({ OTEL_TRACES_EXPORTER: 'zipkin' })).toContain('OTEL_TRACES_EXPORTER must be otlp or none');
    await writeConfig({ destinations: { gateway: { baseUrl: 'https://gateway.example/v1', traceHeaders: true } } });
    const { destinations } = loadConfig(bare);
    expect(destinations.get('gateway')).toMatchObject({ traceHeaders: true });
    expect(destinations.get('default')?.traceHeaders).toBeUndefined();
  });
});

describe('requireDestination', () => {
  it('names the destinations that there are', () => {
    expect(() => requireDestination(loadConfig(bare), 'eu')).toThrow(
      new ConfigError('there is no destination "eu"; this configuration has: default'),
    );
  });

  it('names the variable of a key that is missing', () => {
    expect(() => requireDestination(loadConfig(bare), 'default')).toThrow(/set OPENAI_API_KEY/);
  });

  it.each(['sk 1', 'sk\u00e9', 'sk\u0007'])('refuses a key that no header takes, without repeating it', (key) => {
    const config = loadConfig({ ...bare, OPENAI_API_KEY: key });
    expect(() => requireDestination(config, 'default')).toThrow('the API key in OPENAI_API_KEY has characters');
  });
});

describe('withDefaultDestination', () => {
  it('replaces the default destination only, and leaves the first configuration as it was', async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1' } } });
    const config = loadConfig({ ...bare, OPENAI_API_KEY: 'sk-1', OPENAI_ORG_ID: 'org-1' });
    const changed = withDefaultDestination(config, { baseUrl: 'http://127.0.0.1:4010/v1', apiKey: 'sk-local' });
    expect(requireDestination(changed, 'default')).toEqual({
      name: 'default',
      baseUrl: 'http://127.0.0.1:4010/v1',
      apiKey: 'sk-local',
    });
    expect(requireDestination(changed, 'eu')).toEqual(requireDestination(config, 'eu'));
    expect(requireDestination(config, 'default').baseUrl).toBe('https://api.openai.com/v1');
  });
});

describe('childEnvironment', () => {
  it('hands the environment on with changes, and without another Temporal', () => {
    vi.stubEnv('LONGHAUL_TEST_INHERITED', 'yes');
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
    vi.stubEnv('TEMPORAL_API_KEY', 'tk-1');
    const env = childEnvironment({ LONGHAUL_HOST: 'h', TEMPORAL_NAMESPACE: 'n' });
    expect(env).toMatchObject({ LONGHAUL_TEST_INHERITED: 'yes', LONGHAUL_HOST: 'h', TEMPORAL_NAMESPACE: 'n' });
    expect(env).not.toHaveProperty('TEMPORAL_ADDRESS');
    expect(env).not.toHaveProperty('TEMPORAL_API_KEY');
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
