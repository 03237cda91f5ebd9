import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PartSenderName } from '../children/part-senders.ts';
import type { Measurement } from '../measurement.ts';
import { readThrough } from '../setup/bench-file.ts';
import { childScript } from '../setup/compile-children.ts';
import { certificatePath } from '../setup/sink.ts';
import type { Contender } from './contender.ts';

const run = promisify(execFile);

/** Sends the parts of a file in a separate process, without an Upload. */
export function partLayer(sender: PartSenderName): Contender {
  return {
    prepare: ({ path }) => readThrough(path),
    measure: async (task) => {
      const { stdout } = await run(process.execPath, [childScript('part-process.js'), sender, JSON.stringify(task)], {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: certificatePath },
      });
      return JSON.parse(stdout) as Measurement;
    },
  };
}
