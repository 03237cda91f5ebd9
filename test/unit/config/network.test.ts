import { describe, expect, it } from 'vitest';
import { readProxyRules } from '../../../src/config/network.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { requireDestination } from '../../../src/config/destinations.ts';
import { proxyChooser } from '../../../src/network/proxy.ts';
import { resolveProfile } from '../../../src/destinations/profile.ts';
import { configScene } from '../../support/config-scene.ts';

const { scene, writeConfig, problemsOf } = configScene();

const nameOf = (env: Record<string, string>, url: string) =>
  proxyChooser(undefined, readProxyRules(env))?.(new URL(url))?.name;

describe('the proxies of the environment', () => {
  it.each([
    [{ HTTPS_PROXY: 'http://a:1' }, 'a:1', undefined],
    [{ HTTP_PROXY: 'http://a:1' }, undefined, 'a:1'],
    [{ ALL_PROXY: 'http://a:1' }, 'a:1', 'a:1'],
    [{ all_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:1' }, 'b:1', 'a:1'],
    [{ HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:1' }, 'b:1', undefined],
    [{ HTTPS_PROXY: 'http://a:1', https_proxy: '' }, 'a:1', undefined],
    [{ HTTPS_PROXY: 'a:1' }, 'a:1', undefined],
    [{ HTTPS_PROXY: 'https://a' }, 'a:443', undefined],
    [{ HTTPS_PROXY: 'http://u:p@[::1]:3128' }, '[::1]:3128', undefined],
    [{ ALL_PROXY: 'http://a:1', NO_PROXY: 'service.example' }, undefined, undefined],
    [{ ALL_PROXY: 'http://a:1', NO_PROXY: 'service.example', no_proxy: 'x' }, 'a:1', 'a:1'],
    [{ HTTP_PROXY: 'http://a:1', REQUEST_METHOD: 'GET' }, undefined, undefined],
    [{ http_proxy: 'http://a:1', REQUEST_METHOD: 'GET' }, undefined, 'a:1'],
  ])('with %j are %s for https and %s for http', (env, https, http) => {
    expect(nameOf(env, 'https://service.example/')).toBe(https);
    expect(nameOf(env, 'http://service.example/')).toBe(http);
  });

  it.each([
    ['socks5://u:canary@a:1', 'socks5:// proxies are not supported'],
    ['http://u:canary@a:port', 'the proxy setting is not a URL'],
  ])('reject %s at its first use, without repeating it', (text, problem) => {
    const choose = proxyChooser(undefined, readProxyRules({ HTTPS_PROXY: text }));
    expect(() => choose?.(new URL('https://service.example/'))).toThrow(problem);
    expect(() => choose?.(new URL('https://service.example/'))).not.toThrow('canary');
    expect(choose?.(new URL('http://service.example/'))).toBeUndefined();
  });
});

describe('the proxy of a destination', () => {
  const proxyOf = (env: Record<string, string>, name = 'eu') =>
    requireDestination(loadConfig({ ...scene.bare, OPENAI_API_KEY: 'sk-1', ...env }), name).proxy;

  it('is that of the config file, or else that of the environment', async () => {
    const eu = { baseUrl: 'https://eu.example/v1' };
    const env = { HTTPS_PROXY: 'http://env:1', NO_PROXY: 'us.example' };
    await writeConfig({
      destinations: {
        eu,
        us: { baseUrl: 'https://us.example/v1' },
        own: { ...eu, proxy: 'http://own:1' },
        none: { ...eu, proxy: 'none' },
      },
    });
    expect(proxyOf(env)).toBe('http://env:1');
    expect(proxyOf(env, 'us')).toBeUndefined();
    expect(proxyOf(env, 'own')).toBe('http://own:1');
    expect(proxyOf(env, 'none')).toBe('none');
    expect(proxyOf({})).toBeUndefined();
  });

  it('is shown without its credentials', () => {
    const profile = { name: 'a', baseUrl: 'https://a.example', apiKey: 'sk-1', proxy: 'http://u:canary@p:1' };
    expect(JSON.stringify(resolveProfile(profile))).toContain('http://[redacted]@p:1');
    expect(JSON.stringify(resolveProfile(profile))).not.toContain('canary');
  });

  it.each([
    [{ proxy: 'socks5://a:1' }, 'destinations.eu.proxy must be an http:// or https:// address'],
    [{ caFile: 'ca.pem' }, 'destinations.eu.caFile must be an absolute path'],
    [{ clientCertFile: '/c.pem' }, 'destinations.eu must have both clientCertFile and clientKeyFile'],
    [{ apiKeyFile: '/k', apiKeyCommand: ['x'] }, 'destinations.eu must not have both apiKeyFile and apiKeyCommand'],
    [{ apiKeyCommand: [] }, 'destinations.eu.apiKeyCommand'],
    [{ apiKeyCommand: { command: ['x'], ttlSeconds: 1 } }, 'destinations.eu.apiKeyCommand'],
  ])('and other settings of the network are checked: %j', async (wrong, problem) => {
    await writeConfig({ destinations: { eu: { baseUrl: 'https://eu.example/v1', ...wrong } } });
    expect(problemsOf({})).toContain(problem);
  });
});
