import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../../src/config/config.ts';
import { LonghaulError } from '../../../../src/errors.ts';
import { openSealedQuery, sealQuery } from '../../../../src/sources/http/sealed-query.ts';
import { Sources, type SealingWorkflow } from '../../../../src/sources/sources.ts';
import { cpuTimeMs } from '../../../support/cpu-time.ts';
import { generatedRuns } from '../../../support/mutated.ts';

const SECRET = 'seal-key-canary-0451';
const OLD_SECRET = 'older-seal-key-canary';
const place = { url: 'https://host/x', workflowId: 'upload-1' };
const sealed = sealQuery('sig=canary', place, SECRET);

const errorOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe('a sealed query', () => {
  it('is opened for its own workflow and URL', () => {
    expect(openSealedQuery(sealed, place, [SECRET])).toBe('sig=canary');
    expect(sealQuery('sig=canary', place, SECRET)).not.toBe(sealed);
  });

  it('is opened with an older secret after the secret was replaced', () => {
    const old = sealQuery('a=1', place, OLD_SECRET);
    expect(openSealedQuery(old, place, [SECRET, OLD_SECRET])).toBe('a=1');
    expect(errorOf(() => openSealedQuery(old, place, [SECRET]))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('LONGHAUL_SEAL_KEY_PREVIOUS'),
    });
  });

  it.each([
    ['another workflow', { ...place, workflowId: 'upload-2' }],
    ['a workflow with an ID that starts with the correct ID', { ...place, workflowId: 'upload-1-00001-of-00002' }],
    ['another URL', { ...place, url: 'https://other/x' }],
  ])('is rejected for %s', (_what, other) => {
    expect(errorOf(() => openSealedQuery(sealed, other, [SECRET]))).toMatchObject({ code: 'SOURCE_FORBIDDEN' });
  });

  it('is rejected with a clear message if an earlier version sealed it', () => {
    expect(errorOf(() => openSealedQuery(Buffer.alloc(40).toString('base64url'), place, [SECRET]))).toMatchObject({
      code: 'SOURCE_UNUSABLE',
      message: expect.stringContaining('Start the upload again with the URL'),
    });
  });

  it('is rejected if it is damaged', () => {
    const mutated = fc
      .tuple(fc.nat(sealed.length - 1), fc.constantFrom(...Array.from('ABab01-_=.')))
      .map(([at, character]) => sealed.slice(0, at) + character + sealed.slice(at + 1));
    const any = fc.oneof(
      mutated,
      fc.nat(sealed.length).map((end) => sealed.slice(0, end)),
      fc.string(),
    );
    fc.assert(
      fc.property(any, (text) => {
        const opened = errorOf(() => openSealedQuery(text, place, [SECRET]));
        expect(opened === 'sig=canary' || opened instanceof LonghaulError).toBe(true);
        expect(String(opened)).not.toMatch(text === sealed || opened === 'sig=canary' ? /$^/ : /canary/);
      }),
      { numRuns: generatedRuns(200) },
    );
  });

  it('requires a secret of at least 16 characters', () => {
    expect(errorOf(() => sealQuery('a=1', place, 'short'))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('at least 16 characters'),
    });
    for (const name of ['LONGHAUL_SEAL_KEY', 'LONGHAUL_SEAL_KEY_PREVIOUS']) {
      expect(() => loadConfig({ [name]: 'short' })).toThrow(new RegExp(`${name} must have at least 16 characters`));
    }
    const { sources } = loadConfig({ LONGHAUL_SEAL_KEY: SECRET, LONGHAUL_SEAL_KEY_PREVIOUS: OLD_SECRET });
    expect(sources).toMatchObject({ sealKey: SECRET, previousSealKey: OLD_SECRET });
  });

  it('derives a key once, not for each part', () => {
    const openAll = () => {
      for (let part = 0; part < 200; part++) openSealedQuery(sealed, place, [SECRET]);
    };
    // One derivation takes 50 ms.
    expect(cpuTimeMs(openAll)).toBeLessThan(2000);
  });
});

describe('a source with a sealed query', () => {
  const source = { type: 'http', url: place.url, sealedQuery: sealed } as const;
  const openFor = async (workflow: SealingWorkflow | undefined) => {
    const sources = new Sources({ sealKey: SECRET }, undefined, workflow && (() => workflow));
    const reader = await sources.open(source);
    await reader.close();
    await sources.close();
  };
  const parentId = () => Promise.resolve('upload-1');
  const noParent = () => Promise.resolve(undefined);

  it('is opened by its own workflow and by the child workflows of that workflow', async () => {
    await openFor({ workflowId: 'upload-1', parentId: noParent });
    await openFor({ workflowId: 'piece', parentId });
  });

  it('is rejected for all other workflows, and outside a workflow', async () => {
    const forbidden = { code: 'SOURCE_FORBIDDEN' };
    await expect(openFor({ workflowId: 'upload-1-00001-of-00002', parentId: noParent })).rejects.toMatchObject(
      forbidden,
    );
    const ofAnother = { workflowId: 'piece', parentId: () => Promise.resolve('upload-2') };
    await expect(openFor(ofAnother)).rejects.toMatchObject(forbidden);
    await expect(openFor(undefined)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
