import { SetupRefusedError } from '../../client/errors.ts';
import { setupSearchAttributes } from '../../client/setup.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { describeError, AlreadyReported, jsonErrorOf } from '../errors.ts';

/** Registers the search attributes, or prints the commands for an administrator. */
export async function setupCommand(context: CliContext, options: { json?: boolean }): Promise<void> {
  await withBackend(context, {}, async ({ client }) => {
    const setup = await setupSearchAttributes(client.temporal).catch((error: unknown) => {
      if (!(error instanceof SetupRefusedError)) throw error;
      const { temporal, cloud } = error.commands;
      context.note(describeError(error) ?? '');
      context.note('as an administrator, run the first of these commands, or on Temporal Cloud the second:');
      if (options.json) context.json({ error: jsonErrorOf(error), commands: error.commands });
      else [temporal, cloud].forEach((command) => context.out(command));
      throw new AlreadyReported();
    });
    if (options.json) return context.json(setup);
    for (const { name, type, added } of setup.attributes) {
      context.out(`${name.padEnd(21)}  ${type.padEnd(8)}  ${added ? 'registered' : 'already registered'}`);
    }
    if (!setup.attributes.some(({ added }) => added)) return;
    context.note(`lists of namespace ${setup.namespace} show uploads that start from now on`);
  });
}
