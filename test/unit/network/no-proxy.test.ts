import { describe, expect, it } from 'vitest';
import { NoProxy } from '../../../src/network/no-proxy.ts';

const matches = (entries: string, url: string) => new NoProxy(entries).matches(new URL(url));

describe('NO_PROXY', () => {
  it.each([
    ['api.example', 'https://api.example/v1'],
    ['example', 'https://api.example/v1'],
    ['.example', 'https://api.example/v1'],
    ['*.example', 'https://api.example/v1'],
    ['.api.example', 'https://api.example/v1'],
    ['API.Example.', 'https://api.example/v1'],
    ['api.example', 'https://API.EXAMPLE./v1'],
    ['other, api.example', 'https://api.example/v1'],
    ['other api.example', 'https://api.example/v1'],
    ['other,*', 'https://api.example/v1'],
    ['api.example:443', 'https://api.example/v1'],
    ['api.example:80', 'http://api.example/v1'],
    ['api.example:8443', 'https://api.example:8443/v1'],
    ['10.1.2.3', 'http://10.1.2.3/'],
    ['10.0.0.0/8', 'http://10.1.2.3/'],
    ['10.1.2.3:8080', 'http://10.1.2.3:8080/'],
    ['10.0.0.0/8', 'http://0x0a010203/'],
    ['::1', 'http://[::1]:4010/'],
    ['[::1]', 'http://[::1]:4010/'],
    ['[::1]:4010', 'http://[::1]:4010/'],
    ['fc00::/7', 'http://[fd00::5]/'],
    ['0:0:0:0:0:0:0:1', 'http://[::1]/'],
  ])('with %s matches %s', (entries, url) => {
    expect(matches(entries, url)).toBe(true);
  });

  it.each([
    ['', 'https://api.example/v1'],
    ['api.example', 'https://other-api.example/v1'],
    ['pi.example', 'https://api.example/v1'],
    ['api.example', 'https://example/v1'],
    ['api.example:80', 'https://api.example/v1'],
    ['api.example:443', 'https://api.example:8443/v1'],
    ['10.0.0.0/8', 'http://11.1.2.3/'],
    ['10.1.2.3:8080', 'http://10.1.2.3/'],
    ['0.0.1', 'http://127.0.0.1/'],
    ['::1', 'http://[::2]/'],
    ['[::1]:4010', 'http://[::1]:4011/'],
    ['fc00::/200', 'http://[fd00::5]/'],
  ])('with "%s" does not match %s', (entries, url) => {
    expect(matches(entries, url)).toBe(false);
  });
});
