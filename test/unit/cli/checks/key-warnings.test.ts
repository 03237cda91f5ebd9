import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyWarnings, warnOfKey } from '../../../../src/cli/checks/key-warnings.ts';
import { loadConfig } from '../../../../src/config/config.ts';
import { configScene } from '../../../support/config-scene.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

const { scene } = configScene();
const base = { name: 'default', apiKeyFrom: 'the test', apiKey: 'sk-1', baseUrl: 'https://api.example/v1' };
const isRoot = process.getuid?.() === 0;

describe('keyWarnings', () => {
  it.each([
    [0o600, false],
    [0o400, false],
    [0o640, true],
    [0o644, true],
    [0o604, true],
  ])('for a key file of mode %o warns: %s', (mode, warns) =>
    withTempDir(async (directory) => {
      const apiKeyPath = join(directory, 'key');
      await writeFile(apiKeyPath, 'sk-1');
      await chmod(apiKeyPath, mode);
      const found = await keyWarnings({ ...base, apiKeyPath });
      const isAboutFile = (line: string) => line.includes(`can read the key file ${apiKeyPath}. Run "chmod 600`);
      expect(found.filter(isAboutFile)).toHaveLength(warns ? 1 : 0);
    }),
  );

  it.skipIf(!isRoot)('accepts group access to the file of another user', () =>
    withTempDir(async (directory) => {
      const apiKeyPath = join(directory, 'key');
      await writeFile(apiKeyPath, 'sk-1');
      await chmod(apiKeyPath, 0o640);
      await chown(apiKeyPath, 12_345, 0);
      expect(await keyWarnings({ ...base, apiKeyPath })).toEqual([]);
    }),
  );

  it.each([
    ['https://8.8.8.8/v1', false],
    ['http://8.8.8.8/v1', true],
    ['http://[2a00:1450::1]:8080/v1', true],
    ['http://127.0.0.1:4000/v1', false],
    ['http://[::1]/v1', false],
    ['http://10.1.2.3/v1', false],
    ['http://192.168.0.5/v1', false],
    ['http://public.example/v1', true],
    ['http://private.example/v1', false],
    ['http://unresolved.example/v1', true],
    ['http://gateway/v1', false],
    ['http://gateway.internal/v1', false],
  ])('for %s warns: %s', async (baseUrl, warns) => {
    const addresses: Record<string, string[]> = { 'public.example': ['8.8.8.8'], 'private.example': ['10.0.0.1'] };
    const found = await keyWarnings({ ...base, baseUrl }, async (host) => {
      const known = addresses[host];
      if (!known) throw new Error('ENOTFOUND');
      return Promise.resolve(known);
    });
    expect(found.filter((line) => /is sent unencrypted to .*\. Set an https:\/\/ base URL\.$/.test(line))).toHaveLength(
      warns ? 1 : 0,
    );
    expect(found.join()).not.toContain('sk-1');
  });

  it('returns no warning without a key', async () => {
    expect(await keyWarnings({ ...base, apiKey: undefined, baseUrl: 'http://8.8.8.8' })).toEqual([]);
  });
});

describe('warnOfKey', () => {
  it('finds the file of the configuration and prints each warning once', async () => {
    const path = join(scene.dir, 'key');
    await writeFile(path, 'sk-1');
    await chmod(path, 0o644);
    const config = loadConfig({ ...scene.bare, OPENAI_API_KEY_FILE: path });
    const lines: string[] = [];
    for (let count = 0; count < 2; count += 1) await warnOfKey(config, 'default', (line) => lines.push(line));
    expect(lines).toEqual([expect.stringContaining(`longhaul: warning: other users of this machine can read`)]);
  });
});
