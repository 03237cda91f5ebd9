// Run by each deployment: the schedule then has these settings. "node job.js check" is for monitoring.
import { LonghaulClient } from 'longhaul';
import { ScheduleExistsError } from 'longhaul/errors';

const name = 'nightly-training-data';
const settings = {
  cron: ['0 2 * * *'],
  timezone: 'Europe/Berlin',
  sync: {
    source: {
      type: 'folder',
      path: process.env.TRAINING_DATA ?? '/data',
      host: process.env.LONGHAUL_HOST ?? 'worker-1',
    },
    purpose: 'fine-tune',
  },
};

const longhaul = await LonghaulClient.connect({ taskQueue: process.env.LONGHAUL_TASK_QUEUE });
try {
  if (process.argv[2] === 'check') {
    const { healthy, reason } = await longhaul.schedules.check(name);
    console.log(healthy ? 'healthy' : reason);
    process.exitCode = healthy ? 0 : 1;
  } else {
    try {
      await longhaul.schedules.create({ name, ...settings });
    } catch (error) {
      if (!(error instanceof ScheduleExistsError)) throw error;
      await longhaul.schedules.update(name, settings);
    }
    console.log(`schedule ${name} is set`);
  }
} finally {
  await longhaul.close();
}
