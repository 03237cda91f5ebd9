import type { Outcome } from './simulate.ts';
import type { Plan } from './plan.ts';

/** Simulations that shrinking may take. */
const MAX_TRIES = 150;

/** Removes whatever a plan does not need to break the same rule. */
export async function shrink(plan: Plan, rule: string, simulate: (plan: Plan) => Promise<Outcome>): Promise<Plan> {
  let smallest = plan;
  let tries = 0;
  const breaks = async (candidate: Plan) => {
    if (++tries > MAX_TRIES) return false;
    return (await simulate(candidate)).violations.some((violation) => violation.rule === rule);
  };
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const candidate of candidates(smallest)) {
      if (!(await breaks(candidate))) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

function* candidates(plan: Plan): Generator<Plan> {
  for (const list of ['actions', 'faults', 'outages'] as const) {
    for (let index = 0; index < plan[list].length; index++) {
      yield { ...plan, [list]: (plan[list] as readonly unknown[]).filter((_, other) => other !== index) };
    }
  }
  const { folder, forgedEnds = [] } = plan;
  for (const end of forgedEnds.length > 1 ? forgedEnds : [])
    yield { ...plan, forgedEnds: forgedEnds.filter((other) => other !== end) };
  for (const { path } of folder?.files ?? []) {
    if (folder) yield { ...plan, folder: { ...folder, files: folder.files.filter((file) => file.path !== path) } };
  }
  const { partSizeBytes = plan.sizeBytes } = plan.request;
  const parts = Math.ceil(plan.sizeBytes / partSizeBytes);
  if (!folder && parts > 1) yield { ...plan, sizeBytes: (parts - 1) * partSizeBytes };
  if (!folder && parts > 4) yield { ...plan, sizeBytes: Math.floor(parts / 2) * partSizeBytes };
  if (plan.evictChance > 0) yield { ...plan, evictChance: 0 };
  if (plan.suggestAfterEvents < 4000) yield { ...plan, suggestAfterEvents: 4000 };
  if (plan.style.maxPartBytes > 0) yield { ...plan, style: { ...plan.style, maxPartBytes: 0 } };
  if (plan.style.listLagMs > 0) yield { ...plan, style: { ...plan.style, listLagMs: 0 } };
}
