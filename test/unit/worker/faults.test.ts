import { NamespaceNotFoundError } from '@temporalio/common';
import { describe, expect, it, vi } from 'vitest';
import { LonghaulError } from '../../../src/errors.ts';
import { workerFault } from '../../../src/worker/faults.ts';
import { createWorker, type WorkerOptions } from '../../../src/worker/index.ts';

const named = (name: string, message: string) => Object.assign(new Error(message), { name });

describe('an error of the Temporal worker', () => {
  it.each<[Error, string, RegExp]>([
    [
      named('TransportError', 'tonic::transport::Error\nlong'),
      'TEMPORAL_UNREACHABLE',
      /^the worker lost its connection to Temporal \(tonic::transport::Error\)\. Check that the Temporal server runs, /,
    ],
    [named('TransportError', 'status: PermissionDenied, no'), 'TEMPORAL_DENIED', /^Temporal denied access .*\. Check /],
    [named('TransportError', 'Namespace nope is not found.'), 'NAMESPACE_NOT_FOUND', /^namespace "nope" not found\. /],
    [new NamespaceNotFoundError('nope'), 'NAMESPACE_NOT_FOUND', /^namespace "nope" not found\. Set TEMPORAL_NAMESPACE/],
    [
      named('IllegalStateError', 'Client already closed'),
      'CONFIG_INVALID',
      /^the connection of the worker is closed\. /,
    ],
    [
      named('UnexpectedError', 'a fault\nof theirs'),
      'WORKER_FAILED',
      /stopped because of an error \(a fault\)\. Start/,
    ],
    [
      named('GracefulShutdownPeriodExpiredError', 'late'),
      'WORKER_FAILED',
      /^the worker did not stop in time \(late\)\. /,
    ],
  ])('%s has a code, a cause and a fix', (error, code, message) => {
    const fault = workerFault(error);
    expect(fault).toBeInstanceOf(LonghaulError);
    expect(fault).toMatchObject({ code, message: expect.stringMatching(message), cause: error });
  });

  it('is that of the worker, if the program failed too', () => {
    const cause = { workerError: named('TransportError', 'x'), innerError: undefined };
    expect(workerFault(Object.assign(named('CombinedWorkerRunError', 'both'), { cause }))).toMatchObject({
      code: 'TEMPORAL_UNREACHABLE',
    });
  });

  it('is returned unchanged if it is an error in a program', () => {
    const error = new TypeError('no');
    expect(workerFault(error)).toBe(error);
  });
});

describe('createWorker', () => {
  const base = { connection: {} as WorkerOptions['connection'], destinations: [] };

  it.each<[Partial<Record<keyof WorkerOptions, unknown>>, string]>([
    [{ transferSlots: 0 }, '"transferSlots" must be a whole number from 1 to 256'],
    [{ limitBytesPerSecond: 1 }, '"limitBytesPerSecond" must be a whole number from 131072 to'],
    [{ heartbeatIntervalMs: Number.NaN }, '"heartbeatIntervalMs" must be a whole number'],
    [{ shutdownGraceMs: -1 }, '"shutdownGraceMs" must be a whole number from 0'],
    [{ roles: [] }, '"roles" must be a list of "control" and "transfer"'],
    [{ roles: ['both'] }, '"roles" must be a list of "control" and "transfer"'],
    [{ taskQueue: '' }, '"taskQueue" must'],
    [{ namespace: 7 }, '"namespace" must be a text'],
    [{ deployment: { deploymentName: 'd', buildId: '' } }, '"deployment.buildId" must be a text'],
    [{ deployment: { deploymentName: 'a.b', buildId: 'b' } }, '"deployment.deploymentName" must not contain "."'],
    [{ deployment: { deploymentName: 'a:b', buildId: 'b' } }, '"deployment.deploymentName" must not contain "."'],
    [{ deployment: { deploymentName: '__a', buildId: 'b' } }, '"deployment.deploymentName" must not contain "."'],
    [{ deployment: { deploymentName: 'd', buildId: '__b' } }, '"deployment.buildId" must not start with "__"'],
  ])('rejects %j with one line', async (options, message) => {
    const creating = createWorker({ ...base, ...options } as WorkerOptions);
    await expect(creating).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) });
  });

  it('rejects Bun, whose undici cannot send parts', async () => {
    vi.stubGlobal('process', Object.create(process, { versions: { value: { ...process.versions, bun: '1.4.5' } } }));
    try {
      await expect(createWorker(base)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('cannot run on Bun'),
      });
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
