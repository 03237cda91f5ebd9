import { expect, it } from 'vitest';
import { prepareSync } from '../../../../src/client/prepare/prepare-sync.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

it('derives the same sync ID for all spellings of a base URL, and another ID for another service', () =>
  withTempDir(async (folder) => {
    const idOf = async (baseUrl: string) => {
      const { workflowId, digest } = await prepareSync({ folder, purpose: 'assistants', baseUrl }, 'a');
      return { workflowId, digest };
    };
    const usual = await idOf('https://127.0.0.1/v1');
    expect(await idOf('HTTPS://127.1:443/v1/')).toEqual(usual);
    expect((await idOf('https://127.0.0.2/v1')).workflowId).not.toBe(usual.workflowId);
  }));
