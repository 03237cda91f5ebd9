import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createInspectSource } from '../../../activities/inspect-source.ts';
import { openAiLimits } from '../../../src/contracts/limits.ts';
import { ConfigError } from '../../../src/errors.ts';
import { failureOf, mockActivity, withClient } from '../../support/mock-activity.ts';
import { withTempDir } from '../../support/temp-dir.ts';

const MiB = 1024 * 1024;

it('rejects a source that exceeds the limit of its purpose at its destination', () =>
  withTempDir(async (directory) => {
    const path = join(directory, 'file');
    await writeFile(path, '0123456789');
    const limits = (purpose: string) => ({ ...openAiLimits, maxFileBytes: purpose === 'batch' ? 9 : 10 });
    const dependencies = withClient({ limits });
    const inspect = (purpose: string, changes = {}) =>
      mockActivity().run(createInspectSource({ ...dependencies, ...changes }), {
        request: { source: { type: 'file' as const, path }, purpose },
      });
    const message = expect.stringMatching(
      /has 10 B \(10 bytes\), and the maximum of an Upload is 9 B for the purpose batch/,
    );
    expect(await failureOf(inspect('batch'))).toMatchObject({ type: 'SourceUnusable', message });
    expect(await inspect('vision')).toMatchObject({ sizeBytes: 10 });
    const withoutKey = {
      destination: () => {
        throw new ConfigError('no key');
      },
    };
    expect(await inspect('vision', withoutKey)).toMatchObject({ sizeBytes: 10, limits: openAiLimits });
    expect((await failureOf(inspect('batch', withoutKey))).message).toMatch(/must end in \.jsonl/);
  }));

it('returns the limits of the destination, and parts within them', () =>
  withTempDir(async (directory) => {
    const path = join(directory, 'file');
    await writeFile(path, Buffer.alloc(20 * MiB));
    const limits = { ...openAiLimits, minPartSizeBytes: 5 * MiB, maxPartSizeBytes: 16 * MiB, maxParts: 2 };
    const inspect = (partSizeBytes?: number) =>
      mockActivity().run(createInspectSource(withClient({ limits: () => limits })), {
        request: { source: { type: 'file' as const, path }, purpose: 'batch', partSizeBytes },
      });
    expect(await inspect()).toMatchObject({ limits, request: { partSizeBytes: 10 * MiB } });
    expect(await inspect(5 * MiB)).toMatchObject({ request: { partSizeBytes: 10 * MiB } });
    expect(await inspect(12 * MiB)).toMatchObject({ request: { partSizeBytes: 12 * MiB } });
    for (const partSizeBytes of [4 * MiB, 17 * MiB]) {
      expect(await failureOf(inspect(partSizeBytes))).toMatchObject({
        type: 'InvalidRequest',
        nonRetryable: true,
        message: '"partSizeBytes" must be from 5242880 to 16777216 for this destination and purpose',
      });
    }
  }));

it('rejects a source with more lines than its purpose accepts, before a session is opened', () =>
  withTempDir(async (directory) => {
    const path = join(directory, 'lines.jsonl');
    const limits = () => ({ ...openAiLimits, maxLines: 3 });
    const inspect = async (content: string) => {
      await writeFile(path, content);
      const request = { source: { type: 'file' as const, path }, purpose: 'batch' };
      return mockActivity().run(createInspectSource(withClient({ limits })), { request });
    };
    expect(await inspect('{}\n{}\n{}\n')).toMatchObject({ limits: { maxLines: 3 } });
    // An empty last line is not counted.
    expect(await inspect('{}\n{}\n{}\n\n')).toMatchObject({ limits: { maxLines: 3 } });
    for (const content of ['{}\n{}\n{}\n{}', '{}\n{}\n{}\n{}\n{}\n{}\n']) {
      expect(await failureOf(inspect(content))).toMatchObject({
        type: 'SourceUnusable',
        nonRetryable: true,
        message: expect.stringMatching(
          /lines.jsonl has more than 3 lines, .* purpose batch. To create several Files, use "longhaul upload --split"/,
        ),
      });
    }
  }));
