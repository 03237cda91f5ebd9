import { condition, continueAsNew, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import { UpdateName } from '../src/contracts/names.ts';
import type { RateCarried, ReserveInput, ReserveResult } from '../src/contracts/request-rate.ts';
import { carriedRateProblems } from '../src/core/shape/carried.ts';
import { Rate, reserveRequests } from '../src/core/pace/rate.ts';
import { wholeNumber } from '../src/core/text/check.ts';
import { invalidRequest } from './shell/requests.ts';

const reserveUpdate = defineUpdate<ReserveResult, [ReserveInput]>(UpdateName.reserve);

/** Idle time after which the workflow closes. The rate then permits its full burst, so no state is lost. */
const REST = '5m';

const isWhole = (value: unknown, least: number, most: number) => wholeNumber(least, most)(value) === undefined;

/** Schedules the requests of all workers to one destination. Closes automatically after some time without requests. */
export async function requestRate(carried?: RateCarried): Promise<void> {
  const problems = carriedRateProblems(carried);
  if (problems.length > 0) throw invalidRequest(...problems);
  const rate = new Rate(carried?.nextMs ?? 0);
  let asked = 0;
  setHandler(
    reserveUpdate,
    ({ count, perMinute }) => {
      asked++;
      return { waitsMs: reserveRequests(rate, count, perMinute, Date.now()) };
    },
    {
      validator: (input) => {
        const { count, perMinute } = (input ?? {}) as Partial<ReserveInput>;
        const isValid = isWhole(count, 1, 1000) && isWhole(perMinute, 10, 1_000_000);
        if (!isValid) throw invalidRequest('"count" must be 1 to 1000, and "perMinute" 10 to 1000000');
      },
    },
  );
  for (;;) {
    const seen = asked;
    const summary = 'idle time after which this workflow closes';
    if (await condition(() => workflowInfo().continueAsNewSuggested, REST, { summary })) break;
    if (asked === seen && rate.freeAtMs < Date.now()) return;
  }
  await continueAsNew<typeof requestRate>({ nextMs: rate.freeAtMs });
}
