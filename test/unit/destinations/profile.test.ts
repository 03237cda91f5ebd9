import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { DefaultProfile, resolveProfile } from '../../../src/destinations/profile.ts';

const profile = { name: 'test', baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk-canary' };

test('a property that a profile omits or sets to undefined has its default', () => {
  expect({ ...resolveProfile({ ...profile, stallTimeoutMs: undefined, completeEncoding: 'form' }) }).toEqual({
    ...DefaultProfile,
    ...profile,
    completeEncoding: 'form',
  });
});

test.each([
  [{ baseUrl: 'api.example' }, /http:\/\/ or https:\/\//],
  [{ baseUrl: 'ftp://127.0.0.1' }, /http:\/\/ or https:\/\//],
  [{ baseUrl: 'http://me:canary@127.0.0.1' }, /user name or password/],
  [{ apiKey: '' }, /API key/],
  [{ apiKey: 'sk-canary\n' }, /API key/],
  [{ headers: { 'x-team': 'canary\r\nx: y' } }, /x-team/],
  [{ headers: { 'x team': 'a' } }, /x team/],
  [{ headers: { 'Transfer-Encoding': 'canary' } }, /sets the header "Transfer-Encoding"/],
])('a profile with %j is rejected with a ConfigError that contains no value', (wrong, message) => {
  const resolve = () => resolveProfile({ ...profile, ...wrong });
  expect(resolve).toThrow(ConfigError);
  expect(resolve).toThrow(message);
  expect(resolve).not.toThrow(/canary/);
});
