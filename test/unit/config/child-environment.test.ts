import { describe, expect, it } from 'vitest';
import { childEnvironment, downloaderEnvironment } from '../../../src/config/child-environment.ts';

const env = {
  PATH: '/bin',
  HOME: '/home/u',
  TMPDIR: '/t',
  LC_ALL: 'C',
  XDG_CACHE_HOME: '/c',
  GOMAXPROCS: '1',
  GOPROXY: 'http://user:sk-6@127.0.0.1',
  OPENAI_API_KEY: 'sk-1',
  OPENAI_API_KEY_FILE: '/key',
  GATEWAY_KEY: 'sk-2',
  FILES_AUTHORIZATION: 'Bearer sk-5',
  AWS_SECRET_ACCESS_KEY: 'aws',
  LONGHAUL_SEAL_KEY: 'seal',
  TEMPORAL_API_KEY: 'tk',
  TEMPORAL_ADDRESS: 'temporal:7233',
  PATH_TO_KEY: 'sk-3',
  MY_HTTP_PROXY_TOKEN: 'sk-4',
  NODE_OPTIONS: '--require /evil.js',
  PYTHONPATH: '/evil',
  UV_PUBLISH_TOKEN: 'pypi',
  http_proxy: 'http://127.0.0.1:1',
  NO_PROXY: 'localhost',
  PIP_INDEX_URL: 'http://127.0.0.1:2/simple',
  SSL_CERT_FILE: '/ca.pem',
};
const usual = { PATH: '/bin', HOME: '/home/u', TMPDIR: '/t', LC_ALL: 'C', XDG_CACHE_HOME: '/c', GOMAXPROCS: '1' };

describe('childEnvironment', () => {
  it('contains only variables that a program requires, and the changes', () => {
    expect(childEnvironment({ LONGHAUL_HOST: 'h' }, env)).toEqual({ ...usual, LONGHAUL_HOST: 'h' });
  });
});

describe('downloaderEnvironment', () => {
  it('adds the settings of pip, proxies and certificates', () => {
    expect(downloaderEnvironment(env)).toEqual({
      ...usual,
      http_proxy: 'http://127.0.0.1:1',
      NO_PROXY: 'localhost',
      PIP_INDEX_URL: 'http://127.0.0.1:2/simple',
      SSL_CERT_FILE: '/ca.pem',
    });
  });
});
