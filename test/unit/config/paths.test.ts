import { describe, expect, it } from 'vitest';
import { homeDirectory, userDirectories } from '../../../src/config/paths.ts';

const unlisted = () => {
  throw Object.assign(new Error('uv_os_get_passwd returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' });
};

describe('homeDirectory', () => {
  it.each<[string, NodeJS.ProcessEnv, () => string, string]>([
    ['HOME', { HOME: '/home/u' }, () => '/system', '/home/u'],
    ['the system without HOME', {}, () => '/system', '/system'],
    ['the system with an empty HOME', { HOME: '' }, () => '/system', '/system'],
    ['the system with a relative HOME', { HOME: 'home' }, () => '/system', '/system'],
  ])('comes from %s', (_, env, ofSystem, home) => {
    expect(homeDirectory(env, ofSystem)).toBe(home);
  });

  it('is undefined without HOME for a user that the system does not list', () => {
    expect(homeDirectory({}, unlisted)).toBeUndefined();
  });
});

describe.skipIf(process.platform !== 'linux')('userDirectories', () => {
  it('follows the XDG variables, and the home directory', () => {
    expect(userDirectories({ XDG_DATA_HOME: '/data', XDG_CACHE_HOME: 'relative' }, '/home/u')).toEqual({
      data: '/data/longhaul',
      config: '/home/u/.config/longhaul',
      cache: '/home/u/.cache/longhaul',
    });
  });

  it('omits directories whose path is unknown', () => {
    expect(userDirectories({ XDG_DATA_HOME: '/data' }, undefined)).toMatchObject({ data: '/data/longhaul' });
  });
});
