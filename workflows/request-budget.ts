import { condition, continueAsNew, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import { UpdateName } from '../src/contracts/names.ts';
import type { BudgetCarried, ReserveInput, ReserveResult } from '../src/contracts/request-budget.ts';
import { carriedBudgetProblems } from '../src/core/upload/carried.ts';
import { RequestBudget } from '../src/core/pace/request-budget.ts';
import { wholeNumber } from '../src/core/text/check.ts';
import { invalidRequest } from './shell/requests.ts';

const reserveUpdate = defineUpdate<ReserveResult, [ReserveInput]>(UpdateName.reserve);

/** After so long a rest the budget is full again, so that nothing is lost with the one that ends. */
const REST = '5m';

const isWhole = (value: unknown, least: number, most: number) => wholeNumber(least, most)(value) === undefined;

/** Gives the requests of all workers to one destination their moments. It ends by itself when nobody asks any more. */
export async function requestBudget(carried?: BudgetCarried): Promise<void> {
  const problems = carriedBudgetProblems(carried);
  if (problems.length > 0) throw invalidRequest(...problems);
  const budget = new RequestBudget(carried?.nextMs);
  let asked = 0;
  setHandler(
    reserveUpdate,
    ({ count, perMinute }) => {
      asked++;
      return { waitsMs: budget.reserve(count, perMinute, Date.now()) };
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
    const summary = 'ends when nobody asks meanwhile';
    if (await condition(() => workflowInfo().continueAsNewSuggested, REST, { summary })) break;
    if (asked === seen && budget.nextMs < Date.now()) return;
  }
  await continueAsNew<typeof requestBudget>({ nextMs: budget.nextMs });
}
