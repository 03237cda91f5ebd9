import { ServiceError, type Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { SchedulesClient } from '../../../../src/client/schedules/schedules-client.ts';
import { scheduleIdOf } from '../../../../src/client/schedules/temporal-schedule.ts';

const status = (code: number, details: string) =>
  new ServiceError('Failed to describe schedule', {
    cause: Object.assign(new Error(details), { code, details, metadata: {} }),
  });

function listOf(...answers: readonly ServiceError[]): Promise<unknown> {
  const remaining = [...answers];
  const describe = () => Promise.reject(remaining.shift() ?? new Error('one call too many'));
  const list = () =>
    (async function* () {
      yield await Promise.resolve({ scheduleId: scheduleIdOf('nightly') });
    })();
  const schedule = { list, getHandle: () => ({ describe }) };
  return new SchedulesClient({ schedule } as unknown as Client, 'queue').list();
}

it('reads a schedule again if Temporal does not respond to the first call, as during a deletion', async () => {
  expect(await listOf(status(4, 'context deadline exceeded'), status(5, 'schedule not found'))).toEqual([]);
});

it('fails if Temporal does not respond to the second call either', async () => {
  const silence = status(4, 'context deadline exceeded');
  await expect(listOf(silence, silence)).rejects.toThrow(/did not respond in time/);
});
