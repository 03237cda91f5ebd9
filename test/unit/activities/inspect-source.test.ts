import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createInspectSource } from '../../../activities/inspect-source.ts';
import { ConfigError } from '../../../src/errors.ts';
import { failureOf, mockActivity, withClient } from '../../support/mock-activity.ts';
import { withTempDir } from '../../support/temp-dir.ts';

it('rejects a source that exceeds the limit of its purpose at its destination', () =>
  withTempDir(async (directory) => {
    const path = join(directory, 'file');
    await writeFile(path, '0123456789');
    const limits = (purpose: string) => ({ maxFileBytes: purpose === 'batch' ? 9 : 10, sessionSeconds: 60 });
    const dependencies = withClient({ limits });
    const inspect = (purpose: string, changes = {}) =>
      mockActivity().run(createInspectSource({ ...dependencies, ...changes }), {
        request: { source: { type: 'file' as const, path }, purpose },
      });
    const message = expect.stringMatching(/has 10 B \(10 bytes\); an Upload takes 9 B at most/);
    expect(await failureOf(inspect('batch'))).toMatchObject({ type: 'SourceUnusable', message });
    expect(await inspect('vision')).toMatchObject({ sizeBytes: 10 });
    const withoutKey = {
      destination: () => {
        throw new ConfigError('no key');
      },
    };
    expect(await inspect('batch', withoutKey)).toMatchObject({ sizeBytes: 10 });
  }));
