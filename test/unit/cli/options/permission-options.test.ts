import { expect, it } from 'vitest';
import { loadConfig, type Config } from '../../../../src/config/config.ts';
import { permittedSources, type PermissionOptions } from '../../../../src/cli/options/permission-options.ts';
import { commandSources } from '../../../../src/cli/sources/source-settings.ts';
import { confined, rejectedKinds, type SourceSettings } from '../../../../src/sources/source-settings.ts';

function configOf(sources: SourceSettings): Config {
  return { ...loadConfig({ LONGHAUL_STATE_DIR: '/state' }), sources };
}

function permitted(options: PermissionOptions, sources: SourceSettings = {}): SourceSettings {
  return permittedSources({ config: configOf(sources), note: () => {} }, options);
}

it('an option replaces one list of the config file', () => {
  const sources = { any: true, buckets: ['b'], files: { roots: ['/a'] }, http: { hosts: ['h'] } };
  const settings = permitted({ root: ['/tmp', 'x'] }, sources);
  expect(settings).toMatchObject({ any: false, buckets: ['b'], http: { hosts: ['h'] } });
  expect(settings.files?.roots).toEqual(['/tmp', `${process.cwd()}/x`]);
  expect(permitted({}, sources).any).toBe(true);
  expect(permitted({ anySource: true }).any).toBe(true);
});

it.each<[PermissionOptions, RegExp]>([
  [{ anySource: true, root: ['/tmp'] }, /--any-source permits every source\. Remove it/],
  [{ httpHost: ['https://host/x'] }, /--http-host must be a host name/],
  [{ httpHost: ['host:80'] }, /--http-host must be a host name/],
  [{ bucket: ['x{1..3}'] }, /--bucket has the glob .*range \{1\.\.3\}/],
])('rejects %j', (options, problem) => {
  expect(() => permitted(options)).toThrow(problem);
});

it('a worker reports the kinds of sources that it rejects', () => {
  expect(rejectedKinds(permitted({}))).toEqual([
    'files (--root DIR)',
    'S3 buckets (--bucket NAME)',
    'HTTP hosts (--http-host HOST)',
  ]);
  expect(rejectedKinds(permitted({ root: ['/tmp'] }, { s3: { x: { buckets: ['b'] } } }))).toEqual([
    'HTTP hosts (--http-host HOST)',
  ]);
  expect(rejectedKinds(permitted({ anySource: true }))).toEqual([]);
});

it('the worker of a command permits only the sources of the command', () => {
  const sources = {
    any: true,
    buckets: ['*'],
    files: { roots: ['/a'] },
    http: { hosts: ['*'] },
    s3: { x: { buckets: ['b'] } },
  };
  const settings = confined(commandSources(configOf(sources), { paths: ['/named'], objects: [], urls: [] }));
  expect(settings).toMatchObject({
    files: { roots: ['/named'] },
    http: { hosts: [] },
    s3: { default: { buckets: [] }, x: { buckets: [] } },
    named: { directory: '/state/named' },
    isOfCommand: true,
  });
});

it('a worker on another server requires no home directory', () => {
  const config = Object.defineProperty(configOf({ files: { roots: ['/data'] } }), 'stateDir', {
    get: () => {
      throw new Error('the home directory of this user is unknown');
    },
  });
  const settings = permittedSources({ config, note: () => {} }, { bucket: ['b'] });
  expect(settings).toMatchObject({ files: { roots: ['/data'] }, buckets: ['b'], named: undefined });
});
