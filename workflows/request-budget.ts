import { condition, continueAsNew, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import { UpdateName } from '../src/contracts/names.ts';
import type { BudgetCarried, ReserveInput, ReserveResult } from '../src/contracts/request-budget.ts';
import { carriedBudgetProblems } from '../src/core/upload/carried.ts';
import { RequestBudget, reserveProblem } from '../src/core/pace/request-budget.ts';
import { invalidRequest } from './shell/requests.ts';

const reserveUpdate = defineUpdate<ReserveResult, [ReserveInput]>(UpdateName.reserve);

/** After so long a rest the budget is full again, so that nothing is lost with the one that ends. */
const REST = '5m';

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
        const problem = reserveProblem(input);
        if (problem) throw invalidRequest(problem);
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
