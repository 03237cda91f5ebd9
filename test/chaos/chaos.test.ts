import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { drawPlan } from './draw.ts';
import { runPlan, type ChaosTemporal } from './run.ts';

/** The server is shared with other tests, so it stays alive here. */
const seeds = [1, 2, 3];

describe('the chaos suite, in short', () => {
  let connection: Connection;
  let temporal: ChaosTemporal;

  beforeAll(async () => {
    const address = inject('temporalAddress');
    connection = await Connection.connect({ address });
    temporal = { address, client: new Client({ connection }), killedAtMs: [], kill: () => {} };
  });
  afterAll(() => connection.close());

  it.each(seeds)('holds with seed %i', async (seed) => {
    const plan = drawPlan(seed, { mayKillTemporal: false });
    const { problems } = await runPlan(plan, temporal, { limitMs: 60_000 });
    expect(problems, JSON.stringify(plan)).toEqual([]);
  });
});
