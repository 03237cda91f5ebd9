import { describe, expect, it } from 'vitest';
import { checked, describeCheck, ok } from '../../../src/cli/commands/doctor/check.ts';
import { judgeClock } from '../../../src/cli/commands/doctor/destination-checks.ts';
import { judgeWorkers, type QueuesFound } from '../../../src/cli/commands/doctor/temporal-checks.ts';
import { doctorCommand, versionsCheck } from '../../../src/cli/commands/doctor/run.ts';
import type { CliContext } from '../../../src/cli/context.ts';
import type { QueueDescription, QueuePoller } from '../../../src/client/queues/read-queue.ts';

const NOW_MS = 1_800_000_000_000;

function poller(changes: Partial<QueuePoller> = {}): QueuePoller {
  return { identity: '1@a', lastSeenMs: NOW_MS - 40_000, buildId: 'b1', deploymentName: undefined, ...changes };
}

function queue(pollers: readonly QueuePoller[], current?: QueueDescription['current']): QueueDescription {
  return { pollers, current };
}

function judge(changes: Partial<QueuesFound> = {}) {
  const found = {
    host: 'here',
    control: queue([poller()]),
    controlQueue: 'longhaul',
    transfer: queue([poller()]),
    transferQueue: 'longhaul-transfer',
    ofHost: queue([poller()]),
    isEmbedded: false,
    ...changes,
  };
  return judgeWorkers(found, NOW_MS);
}

it('a destination that the configuration does not have is rejected on the embedded server', async () => {
  const context = { config: { destinations: new Map([['default', {}]]) } } as unknown as CliContext;
  const checking = doctorCommand(context, undefined, { destination: 'azur' });
  await expect(checking).rejects.toThrow(
    'destination "azur" not found. Use a destination of this configuration: default.',
  );
});

describe('the check of the workers', () => {
  it('passes with a worker that polls all queues, and shows the builds', () => {
    expect(judge()).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^longhaul: 1 for workflows.*builds b1/),
    });
  });

  it('shortens the build ID that the SDK sets', () => {
    const buildId = `@temporalio/worker@1.24.0+${'1e82010e'.repeat(8)}`;
    expect(judge({ control: queue([poller({ buildId })]) }).message).toMatch(/; builds SDK 1\.24\.0\+1e82010e$/);
  });

  it('fails without a worker for workflows or for parts, except on the embedded server', () => {
    expect(judge({ control: queue([]) })).toMatchObject({
      status: 'fail',
      fix: expect.stringMatching(/longhaul worker/),
    });
    expect(judge({ transfer: queue([]) })).toMatchObject({
      status: 'fail',
      fix: expect.stringMatching(/--roles transfer/),
    });
    expect(judge({ control: queue([]), isEmbedded: true }).status).toBe('ok');
  });

  it('warns if no worker runs on this machine, or the last poll is too old', () => {
    expect(judge({ ofHost: queue([]) })).toMatchObject({ status: 'warn', message: expect.stringMatching(/\(here\)/) });
    expect(judge({ ofHost: queue([]), isEmbedded: true }).status).toBe('ok');
    const gone = queue([poller({ lastSeenMs: NOW_MS - 200_000 })]);
    expect(judge({ control: gone })).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/3 min 20 s ago/),
    });
  });

  it('fails if no worker has the current version', () => {
    const versioned = [poller({ deploymentName: 'fleet', buildId: 'b2' })];
    expect(judge({ control: queue(versioned) })).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/is none, and its workers are fleet b2/),
      fix: expect.stringMatching(/set-current-version/),
    });
    const current = { deploymentName: 'fleet', buildId: 'b2' };
    expect(judge({ control: queue(versioned, current) }).status).toBe('ok');
    expect(judge({ control: queue(versioned, { ...current, buildId: 'b3' }) }).status).toBe('fail');
    expect(judge({ control: queue([poller()], current) }).message).toMatch(/unversioned b1/);
  });
});

describe('the check of the clock', () => {
  it('warns if the clock is 30 s ahead or behind', () => {
    expect(judgeClock('api', { serviceMs: NOW_MS, hereMs: NOW_MS + 25_000 }).status).toBe('ok');
    expect(judgeClock('api', { serviceMs: NOW_MS, hereMs: NOW_MS + 120_500 })).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/^120 s ahead of api/),
    });
    expect(judgeClock('api', { serviceMs: NOW_MS, hereMs: NOW_MS - 60_000 }).message).toMatch(/^61 s behind api/);
  });
});

describe('the check of the versions', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
    ['20.18.9', 'fail'],
    ['18.20.0', 'fail'],
  ])('reports Node.js %s as %s', (node, status) => {
    expect(versionsCheck('0.1.0', node).status).toBe(status);
  });
});

describe('a check', () => {
  it('fails with the message of an error', async () => {
    const found = await checked('x', () => Promise.reject(new Error('no such thing')));
    expect(found).toEqual({ name: 'x', status: 'fail', message: 'no such thing' });
    const cause = { details: 'Namespace nope is not found.' };
    const ofTemporal = await checked('x', () => Promise.reject(new Error('Failed', { cause })));
    expect(ofTemporal.message).toBe('Namespace nope is not found.');
  });

  it('fails after its timeout', async () => {
    const found = await checked('x', () => new Promise(() => {}), 20);
    expect(found).toMatchObject({ status: 'fail', message: 'no response within 0.02 s' });
  });

  it('is described on one line with its fix', () => {
    expect(describeCheck({ name: 'x', ...ok('fine') })).toBe('ok    x: fine');
    expect(describeCheck({ name: 'x', status: 'fail', message: 'a\nb', fix: 'do c' })).toBe('fail  x: a�b → do c');
  });
});
