import { describe, expect, it } from 'vitest';
import { compileGlobs } from '../../../../src/core/glob/glob.ts';
import { isSameName, nameKey } from '../../../../src/core/text/name-form.ts';
import { filenameOfSource } from '../../../../src/core/source/names.ts';
import { syncFileName } from '../../../../src/core/sync/file-name.ts';
import { SyncPlan } from '../../../../src/core/sync/plan.ts';
import type { RememberedFile } from '../../../../src/contracts/sync.ts';

const NAME = 'école/résumé 한국.jsonl';
const [nfc, nfd] = [NAME.normalize('NFC'), NAME.normalize('NFD')];

describe('a name in NFC and in NFD', () => {
  it('is one name', () => {
    expect(nfc).not.toBe(nfd);
    expect(nameKey(nfd)).toBe(nfc);
    expect(isSameName(nfc, nfd)).toBe(true);
    expect(isSameName(nfc, nfd.toUpperCase())).toBe(false);
  });

  it('results in one name of a File', () => {
    expect(syncFileName('p-', nfd)).toBe(syncFileName('p-', nfc));
    expect(filenameOfSource({ type: 'file', path: `/data/${nfd}` })).toBe('résumé 한국.jsonl'.normalize('NFC'));
  });

  it.each(['école/*', '**/r?sum?*', 'école/', '**/r[éa]sum{é,x} *', NAME])(
    'matches the glob %s in both forms',
    (glob) => {
      const globs = [glob.normalize('NFC'), glob.normalize('NFD')].map((one) => (one.endsWith('/') ? `${one}**` : one));
      for (const one of globs) expect([nfc, nfd].map(compileGlobs([one]))).toEqual([true, true]);
    },
  );

  it('is one path and one File of a sync, with both forms in the memory', () => {
    const file = { id: '1', filename: syncFileName('', nfc), bytes: 10, createdAt: 5, purpose: 'batch' };
    const entry: RememberedFile = { path: nfd, sizeBytes: 10, version: 'v', fileId: '1', md5: 'm', createdAt: 5 };
    const source = { path: nfc, sizeBytes: 10, mtimeMs: 9_000_000, fingerprint: 'f', version: 'v' };
    const earlier = { ...file, filename: nfd.replaceAll('/', '__') };
    for (const listed of [file, earlier]) {
      const plan = new SyncPlan([listed], [entry]);
      expect(plan.judge(source, syncFileName('', nfc))?.decision).toMatchObject({ why: 'same', fileId: '1' });
      const gone = (isListed: boolean) =>
        plan.gone({ isListed: () => isListed, nameOf: (path) => syncFileName('', path) });
      expect(gone(true)).toEqual({ deletions: [], held: [] });
      expect(gone(false)).toMatchObject({ deletions: [{ fileId: '1' }], held: [] });
    }
  });
});
