import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { createRedact, redact, redactorOf, rememberSecrets } from '../../src/redact.ts';
import { cpuTimeMs } from '../support/cpu-time.ts';

const KEY = 'sk-canary/0451+äöü"x';

describe('a text that contains secrets of a request', () => {
  const redactAll = createRedact(
    'sk-1234',
    { 'X-Team-Token': 'team-5', 'OpenAI-Organization': 'org-6' },
    { 'access-token': 'query-7', 'api-version': '2025-04-01' },
  );

  it('contains neither the key nor secret values of headers and queries', () => {
    expect(redactAll('sk-1234, team-5 and query-7 of org-6 by 2025-04-01')).toBe(
      '[redacted], [redacted] and [redacted] of org-6 by 2025-04-01',
    );
  });

  it('does not change for a secret of at most three characters', () => {
    for (const short of ['', 'a', 'it', 'all']) {
      expect(createRedact('sk-1234', { 'x-token': short })('all of it is a text')).toBe('all of it is a text');
    }
  });

  it.each([
    ['percent-encoded', encodeURIComponent(KEY)],
    ['percent-encoded in lower case', encodeURIComponent(KEY).toLowerCase()],
    ['percent-encoded twice', encodeURIComponent(encodeURIComponent(KEY))],
    ['percent-encoded in full', [...Buffer.from(KEY)].map((byte) => `%${byte.toString(16)}`).join('')],
    ['in JSON', JSON.stringify(KEY)],
    ['in Base64', Buffer.from(KEY).toString('base64')],
    ['in Base64url', Buffer.from(KEY).toString('base64url')],
    ['in Base64 in a query', encodeURIComponent(Buffer.from(KEY).toString('base64'))],
    ['in Basic authentication', Buffer.from(`:${KEY}`).toString('base64')],
    ['in Basic authentication with a user', Buffer.from(`ab:${KEY}@x`).toString('base64')],
    ['in Basic authentication with another user', Buffer.from(`abc:${KEY}`).toString('base64')],
  ])('does not show the key %s', (_how, form) => {
    const shown = createRedact(KEY)(`before ${form} after`);
    expect(shown).toMatch(/^before \S{0,4}\[redacted\]\S{0,8} after$/);
  });

  it('does not show the key in any position of a Base64 text', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 12, maxLength: 60 }),
        fc.uint8Array({ maxLength: 9 }),
        fc.uint8Array({ maxLength: 9 }),
        fc.constantFrom<BufferEncoding>('base64', 'base64url'),
        (key, before, after, encoding) => {
          const text = Buffer.concat([before, Buffer.from(key), after]).toString(encoding);
          const shown = redactorOf([key])(`x ${text} y`);
          const rest = shown.split('[redacted]').map((part) => Buffer.from(part.replace(/^x | y$/g, ''), encoding));
          expect(shown).toContain('[redacted]');
          for (const bytes of rest) expect(bytes.includes(Buffer.from(key.slice(3, -3)))).toBe(false);
        },
      ),
    );
  });
});

describe('a value with the name of a secret', () => {
  const names =
    'sig signature token credential code X-Amz-Signature X-Amz-Credential X-Amz-Security-Token X-Goog-Signature AWSAccessKeyId access_token client_secret refresh_token id_token apiKey api_key password X%2DAmz%2DSignature';

  it.each(names.split(' '))('is not shown in a URL: %s', (name) => {
    for (const separator of ['?', '?a=1&', '#', '?a=1;']) {
      expect(redact(`cannot read https://host/x${separator}${name}=canary%2F0451&b=2 now`)).toBe(
        `cannot read https://host/x${separator}${name}=[redacted]&b=2 now`,
      );
    }
    const inner = encodeURIComponent(`https://host/x?a=1&${name.replaceAll('%2D', '-')}=canary0451&b=2`);
    expect(redact(`see https://outer/?next=${inner}`)).not.toContain('canary');
  });

  it.each([
    ['a user in a URL', 'https://user:canary0451@host/x', 'https://[redacted]@host/x'],
    [
      'JSON',
      '{"access_token": "canary", "code": "invalid_api_key"}',
      '{"access_token": "[redacted]", "code": "invalid_api_key"}',
    ],
    ['XML', '<AWSAccessKeyId>canary</AWSAccessKeyId>', '<AWSAccessKeyId>[redacted]</AWSAccessKeyId>'],
    ['a login', 'Authorization: Bearer canary.0451.abcdefghij', 'Authorization: Bearer [redacted]'],
  ])('is not shown in %s', (_where, text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  it('does not change other texts', () => {
    for (const text of [
      'host answered 401 Unauthorized, while listing files: Incorrect API key provided (request req_1)',
      'https://host/files?purpose=batch&limit=10000&after=file-1&api-version=2025-04-01',
      'set LONGHAUL_SEAL_KEY; code=ECONNREFUSED',
      'Basic authentication is required',
      'a@b.example, c://d',
    ])
      expect(redact(text)).toBe(text);
  });

  it('is found in linear time', () => {
    const pattern = redactorOf(['s'.repeat(160), '%25'.repeat(50)]);
    for (const piece of [
      's',
      '%',
      '%25',
      '?',
      '&a',
      '//',
      '"token":"',
      '?sig=',
      '%26sig%3d',
      'bearer ',
      '<Token>',
      '"',
    ]) {
      const text = piece.repeat(Math.ceil(200_000 / piece.length));
      // A pattern that goes back at each position takes minutes.
      expect(cpuTimeMs(() => pattern(text))).toBeLessThan(5000);
    }
  });
});

describe('a secret of this process', () => {
  it('is redacted in error messages', () => {
    rememberSecrets(['canary-of-a-key-0451', 'short']);
    expect(new ConfigError('short: canary-of-a-key-0451').message).toBe('short: [redacted].');
  });
});
