import { SetupRefusedError } from '../../client/errors.ts';
import { setupSearchAttributes } from '../../client/setup.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { describeError, SaidAlready } from '../errors/exit.ts';
import { jsonErrorOf } from '../errors/json-errors.ts';

/** Registers the search attributes, or prints the commands for somebody who may. */
export async function setupCommand(context: CliContext, options: { json?: boolean }): Promise<void> {
  await withBackend(context, {}, async ({ client }) => {
    const setup = await setupSearchAttributes(client.temporal).catch((error: unknown) => {
      if (!(error instanceof SetupRefusedError)) throw error;
      const { temporal, cloud } = error.commands;
      context.note(describeError(error) ?? '');
      context.note('somebody who may do it runs the first of these lines, or the second on Temporal Cloud:');
      if (options.json) context.json({ error: jsonErrorOf(error), commands: error.commands });
      else [temporal, cloud].forEach((command) => context.out(command));
      throw new SaidAlready();
    });
    if (options.json) return context.json(setup);
    for (const { name, type, added } of setup.attributes) {
      context.out(`${name.padEnd(21)}  ${type.padEnd(8)}  ${added ? 'registered' : 'there already'}`);
    }
    context.note(`namespace ${setup.namespace} shows uploads that are started from now on`);
  });
}
