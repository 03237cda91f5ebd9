import { describe, expect, it } from 'vitest';
import { ConfigError, SourceForbiddenError } from '../../../../src/errors.ts';
import { redact } from '../../../../src/redact.ts';
import { SourceHeaders, type SourceHeaderSettings } from '../../../../src/sources/http/headers.ts';
import { FixedKey } from '../../../../src/keys/key-provider.ts';

const headers = { Authorization: 'Bearer one' };

function hostOf(settings: SourceHeaderSettings, url: string, isProxied = false): string | undefined {
  return new SourceHeaders(settings).of(new URL(url), isProxied)?.host;
}

describe('the headers of a host', () => {
  it.each([
    ['files.example.com', 'https://files.example.com/x', true],
    ['FILES.example.com', 'https://files.example.COM:443/x', true],
    ['files.example.com:443', 'https://files.example.com/x', true],
    ['https://files.example.com/', 'https://files.example.com/x', true],
    ['https://files.example.com', 'https://files.example.com/x', true],
    ['files.example.com:8443', 'https://files.example.com:8443/x', true],
    ['bücher.example', 'https://xn--bcher-kva.example/x', true],
    ['[2001:db8::1]:8443', 'https://[2001:DB8::1]:8443/x', true],
    ['files.example.com', 'https://files.example.com:8443/x', false],
    ['files.example.com:8443', 'https://files.example.com/x', false],
    ['files.example.com', 'https://evil.files.example.com/x', false],
    ['files.example.com', 'https://files.example.com.evil.example/x', false],
    ['https://files.example.com', 'http://files.example.com/x', false],
    ['http://files.example.com', 'http://files.example.com/x', true],
    ['http://files.example.com:80', 'http://files.example.com/x', true],
    ['http://files.example.com', 'https://files.example.com/x', false],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080/x', true],
    ['localhost:8080', 'http://localhost:8080/x', true],
    ['[::1]:8080', 'http://[::1]:8080/x', true],
  ])('%s are those of %s: %s', (host, url, isSame) => {
    expect(hostOf({ [host]: headers }, url)).toBe(isSame ? host : undefined);
  });

  it.each(['http://files.example.com/x', 'http://10.0.0.1:9000/x', 'http://127.0.0.1.example/x'])(
    'are not sent to %s, which is not encrypted, unless the host is configured with http://',
    (url) => {
      const { host, origin } = new URL(url);
      expect(() => hostOf({ [host]: headers }, url)).toThrow(SourceForbiddenError);
      expect(() => hostOf({ [host]: headers }, url)).toThrow(
        `${origin} is not encrypted, so "sources.http.headers" sends no header (Authorization) to it.`,
      );
      expect(hostOf({ [host]: headers, [origin]: headers }, url)).toBe(origin);
      expect(hostOf({ [origin]: headers, [host]: headers }, url)).toBe(origin);
    },
  );

  it('are not sent to a loopback address through a proxy, which can be on another machine', () => {
    const url = 'http://127.0.0.1:8080/x';
    expect(() => hostOf({ '127.0.0.1:8080': headers }, url, true)).toThrow(SourceForbiddenError);
    expect(hostOf({ 'http://127.0.0.1:8080': headers }, url, true)).toBe('http://127.0.0.1:8080');
    expect(hostOf({ 'a.example': headers }, 'https://a.example/x', true)).toBe('a.example');
  });

  it.each<[string, SourceHeaderSettings, RegExp]>([
    ['a glob', { '*.example.com': headers }, /"\*\.example\.com" must be one host, not a glob/],
    ['a path', { 'files.example.com/x': headers }, /must be a host such as files\.example\.com,/],
    ['a login', { 'me:pass@files.example.com': headers }, /must be a host such as/],
    ['another scheme', { 'ftp://files.example.com': headers }, /must be a host such as/],
    ['an invalid port', { 'files.example.com:99999': headers }, /must be a host such as/],
    ['no host', { '': headers }, /"" must be a host such as/],
    [
      'the same host twice',
      { 'a.example': headers, 'A.example:443': headers },
      /"a\.example" and "A\.example:443" are the same host/,
    ],
    ['no header', { 'a.example': {} }, /a\.example has no headers/],
    ['the same header twice', { 'a.example': { 'X-A': '1', 'x-a': '2' } }, /header "x-a" of a\.example is set twice/],
    ['an invalid name', { 'a.example': { 'X A': '1' } }, /header "X A" of a\.example is not a valid header name/],
    ['a name with a line break', { 'a.example': { 'X\r\nA': '1' } }, /is not a valid header name/],
    ['a line break', { 'a.example': { 'X-A': '1\r\nX-B: 2' } }, /header "X-A" of a\.example has an empty value, or/],
    ['an empty value', { 'a.example': { 'X-A': '' } }, /has an empty value, or/],
    ['characters that are not ASCII', { 'a.example': { 'X-A': 'ü' } }, /has an empty value, or/],
  ])('are rejected with %s', (_, settings, problem) => {
    expect(() => new SourceHeaders(settings)).toThrow(problem);
    expect(() => new SourceHeaders(settings)).toThrow(ConfigError);
  });

  const reserved =
    'Host Content-Length content-encoding Transfer-Encoding Connection Keep-Alive ' +
    'Upgrade TE Trailer Expect Proxy-Authorization Range If-Range If-Match If-None-Match Accept-Encoding';
  it.each(reserved.split(' '))('cannot contain %s, which Longhaul sets', (name) => {
    expect(() => new SourceHeaders({ 'a.example': { [name]: '1' } })).toThrow(/is set by Longhaul\. Remove it/);
  });

  it('reports all problems', () => {
    const settings = { 'a.example': { Host: '1', 'X A': '2' }, '*': headers };
    expect(() => new SourceHeaders(settings)).toThrow(/"Host".*; .*"X A".*; .*"\*"/);
  });

  it.each<[string, string, string]>([
    ['the whole value', 'Bearer canary-token-0001', 'Bearer canary-token-0001'],
    ['the token only', 'Bearer canary-token-0002', 'canary-token-0002'],
    [
      'a password in Basic',
      `Basic ${Buffer.from('me:canary-password-0003').toString('base64')}`,
      'canary-password-0003',
    ],
    ['a part', 'Custom id=a, signature="canary-part-0004"', 'canary-part-0004'],
    ['a cookie', 'session=canary-cookie-0005; lang=en', 'canary-cookie-0005'],
  ])('are redacted in the text of a server that repeats %s', async (_, value, repeated) => {
    const found = new SourceHeaders({ 'a.example': { 'X-A': new FixedKey(value) } }).of(
      new URL('https://a.example'),
      false,
    );
    expect(await found?.read()).toEqual({ 'x-a': value });
    expect(redact(`<p>${repeated}</p>`)).toBe('<p>[redacted]</p>');
    expect(found?.redact(`<p>${repeated}</p>`)).toBe('<p>[redacted]</p>');
  });
});
