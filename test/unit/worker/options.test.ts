import { describe, expect, it } from 'vitest';
import { workerSources } from '../../../src/config/sources.ts';
import { createActivities } from '../../../src/worker/activities.ts';
import { createWorker, Destinations, LonghaulPlugin } from '../../../src/worker/index.ts';

const destinations = [{ name: 'default', baseUrl: 'https://api.test/v1', apiKey: 'sk-test' }];
const anything = (value: unknown) => value as never;
const ofDestinations = /"destinations" must be a function, or a list of objects with "name", "baseUrl" and "apiKey"/;

describe('options of a worker that a program without types passes', () => {
  it.each<[unknown, RegExp]>([
    [undefined, /must be an object/],
    ['x', /must be an object/],
    [{}, ofDestinations],
    [{ destinations: { default: {} } }, ofDestinations],
    [{ destinations: [null] }, ofDestinations],
    [{ destinations: [{ name: 'a', baseURL: 'https://api.test/v1', apiKey: 'k' }] }, ofDestinations],
    [{ destinations: [{ ...destinations[0], apiKey: undefined }] }, ofDestinations],
    [{ destinations: [...destinations, ...destinations] }, /"destinations" has the name "default" twice/],
    [{ destinations, transferSlot: 3 }, /"transferSlot" is not an option/],
    [{ destinations, roles: 'control' }, /"roles" must be a list of non-empty strings/],
    [{ destinations, roles: null }, /"roles" must be a list of non-empty strings/],
    [{ destinations, deployment: 'v1' }, /"deployment" must be an object/],
    [{ destinations, metrics: 5, nexus: 'no' }, /"metrics" must be an object; "nexus" must be true or false/],
  ])('%j are rejected with the name of the option', async (options, message) => {
    const rejected = { code: 'CONFIG_INVALID', message: expect.stringMatching(message) };
    await expect(createWorker(anything(options))).rejects.toMatchObject(rejected);
    expect(() => new LonghaulPlugin(anything(options))).toThrow(message);
  });

  it.each([undefined, null, {}, [null], [{ name: 'a' }]])('Destinations.of(%j) is rejected', (profiles) => {
    expect(() => Destinations.of(anything(profiles))).toThrow(ofDestinations);
  });

  it.each([undefined, null, {}])('createActivities(%j) is rejected', (options) => {
    expect(() => createActivities(anything(options))).toThrow(/^"destination" is missing/);
  });

  it.each<[unknown, string]>([
    ['/data', '"sources" must be an object.'],
    [{ any: 'false' }, '"sources.any" must be true or false.'],
    [{ files: { roots: '/data' } }, '"sources.files.roots" must be a list of non-empty strings.'],
    [{ files: { root: ['/data'] } }, '"sources.files" has an unknown property "root".'],
    [{ buckets: '*' }, '"sources.buckets" must be a list of non-empty strings.'],
    [
      { http: { hosts: '*', trustProxy: 1 } },
      '"sources.http.hosts" must be a list of non-empty strings; "sources.http.trustProxy" must be true or false.',
    ],
    [{ s3: { backup: { buckets: '*' } } }, '"sources.s3.backup.buckets" must be a list of non-empty strings.'],
  ])('the sources %j permit nothing', (sources, message) => {
    expect(() => workerSources(anything(sources))).toThrow(message);
  });
});
