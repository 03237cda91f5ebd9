import { expect, it } from 'vitest';
import { createDestination } from '../../../src/destinations/kinds.ts';
import { startLocalApi, type LocalApi, type LocalApiOptions } from '../../../src/local-api/index.ts';
import { probe, type Finding } from '../../smoke/probe.ts';
import { withTempDir } from '../../support/temp-dir.ts';

/** Assumptions that are not true, by their verdicts. */
const withService = (options: Partial<LocalApiOptions>, prepare: (api: LocalApi) => void = () => {}) =>
  withTempDir(async (dataDir) => {
    const api = await startLocalApi({ dataDir, ...options });
    const destination = createDestination({ name: 'default', baseUrl: api.url, apiKey: 'sk-smoke' });
    try {
      prepare(api);
      const findings = await probe(destination, 'batch');
      expect((await destination.files.list()).files, 'Files that were not removed').toEqual([]);
      return findings;
    } finally {
      await destination.close();
      await api.close();
    }
  });
const other = (findings: readonly Finding[]) =>
  findings
    .filter(({ verdict }) => verdict !== 'as assumed')
    .map(({ assumption, verdict }) => `${verdict}: ${assumption}`);

it('the smoke test confirms all assumptions with the local API, and deletes its Files', async () => {
  const findings = await withService({});
  expect(other(findings)).toEqual([]);
  expect(findings).toHaveLength(11);
});

it('the smoke test reports a service that counts a part twice', async () => {
  expect(other(await withService({ strictSums: true }))).toEqual([
    'differs: a part that is sent twice is counted once, if the completion names one of the two',
  ]);
});

it('the smoke test reports sessions with another lifetime, and content that cannot be read', async () => {
  const findings = await withService({ sessionLifeSeconds: 7200 }, ({ faults }) =>
    faults.add({ route: 'content', kind: 'status', status: 404, count: 1 }),
  );
  expect(other(findings)).toEqual([
    'differs: a session lasts 3600 s',
    'differs: the content can be read immediately (the lookup after a lost response compares its MD5)',
  ]);
});
