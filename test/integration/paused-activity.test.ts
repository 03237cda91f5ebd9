import { join } from 'node:path';
import { expect, it } from 'vitest';
import { beginCli, runCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';
import { writeFiles } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

/** Number of temporal.api.enums.v1.PendingActivityState. */
const PAUSED = 4;

it('commands show an activity that is paused in Temporal, with the fix, and the sync then completes', () =>
  withSystem(async ({ api, client, directory, environment, startWorker, taskQueue }) => {
    const folder = join(directory, 'data');
    await writeFiles(folder, { 'small.jsonl': '{}\n' });
    await randomFile(join(folder, 'large.bin'), 2 * MiB);
    await startWorker();
    api.faults.add({ route: 'part', kind: 'status', status: 503, overBytes: MiB, count: 1000 });
    const id = `sync-${taskQueue}`;
    const sync = beginCli(['sync', folder, '--purpose', 'assistants', '--id', id], environment);
    const { workflow, workflowService } = client.temporal;
    const describe = async (workflowId: string) =>
      workflow
        .getHandle(workflowId)
        .describe()
        .then(
          ({ raw }) => raw,
          () => undefined,
        );
    const part = async () => {
      const pending = child === '' ? [] : ((await describe(child))?.pendingActivities ?? []);
      return pending.find(({ activityType }) => activityType?.name === 'uploadPart');
    };
    let [child, activityId] = ['', ''];
    await until(async () => {
      child = (await describe(id))?.pendingChildren?.[0]?.workflowId ?? '';
      activityId = (await part())?.activityId ?? '';
      return activityId !== '';
    }, 'a part that is retried');
    const target = { namespace: 'default', execution: { workflowId: child }, id: activityId };
    await workflowService.pauseActivity({ ...target, identity: 'operator' });
    // Its running attempt fails first.
    await until(async () => (await part())?.state === PAUSED, 'the pause');
    api.faults.clear();

    const reason = `the activity uploadPart is paused in Temporal. Run "temporal activity unpause --workflow-id ${child} --activity-id ${activityId}".`;
    await until(() => sync.stderr().includes(reason), 'the line of the sync');
    const [ofSync, ofUpload, top] = await Promise.all([
      runCli(['status', id], environment),
      runCli(['status', child, '--json'], environment),
      runCli(['top', '--once', '--json'], environment),
    ]);
    expect(ofSync.stdout).toContain(`waiting: ${reason}`);
    expect(JSON.parse(ofUpload.stdout)).toMatchObject({
      progress: { pausedActivity: { workflowId: child, activityId, reason } },
    });
    expect(top.stdout).toContain(JSON.stringify(reason));

    await workflowService.unpauseActivity({ ...target, identity: 'operator' });
    expect(await sync.ended).toMatchObject({ code: 0 });
  }));
