import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/errors.ts';

export interface ConfigScene {
  /** A directory of this test's own. */
  dir: string;
  configPath: string;
  /** An environment without the files of the current user. */
  bare: Record<string, string>;
}

/** Provides each test of the file with a separate, empty configuration. */
export function configScene() {
  const scene: ConfigScene = { dir: '', configPath: '', bare: {} };
  beforeEach(async () => {
    scene.dir = await mkdtemp(join(tmpdir(), 'longhaul-config-'));
    scene.configPath = join(scene.dir, 'config.json');
    await writeFile(scene.configPath, '{}');
    const temporalConfig = join(scene.dir, 'temporal-empty.toml');
    await writeFile(temporalConfig, '');
    scene.bare = { LONGHAUL_CONFIG: scene.configPath, TEMPORAL_CONFIG_FILE: temporalConfig };
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(scene.dir, { recursive: true, force: true });
  });

  const writeConfig = (content: unknown): Promise<void> => writeFile(scene.configPath, JSON.stringify(content));

  function problemsOf(env: Record<string, string>): string {
    try {
      loadConfig({ ...scene.bare, ...env });
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
    throw new Error('this configuration has no problem');
  }

  return { scene, writeConfig, problemsOf };
}
