import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { commandsOf, expectNone, readInlineCode, readSnippets } from '../support/snippets.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';

const commands = [...readSnippets().filter(({ language }) => language === 'sh'), ...readInlineCode()].flatMap(
  ({ place, text }) =>
    commandsOf(text)
      .filter(([name, command]) => name === 'temporal' && command !== undefined)
      .map(([, ...args]) => ({ place, args })),
);

const ofServices = commands.filter(({ place }) => place.startsWith('docs/services.md:'));

async function temporal(...args: string[]): Promise<string> {
  const { path } = await temporalCliForTests();
  return (await promisify(execFile)(path, args)).stdout;
}

it('the temporal command has all commands and options in the docs', async () => {
  expect(commands.length).toBeGreaterThan(10);
  const wordsOf = (args: readonly string[]) => args.slice(0, args.findIndex((arg) => arg.startsWith('-')) >>> 0);
  const optionsOf = (args: readonly string[]) => args.filter((arg) => arg.startsWith('-'));
  // A process for each takes 40 ms of CPU time. Only the values of the others differ.
  const different = new Map(
    commands.map((command) => [[...wordsOf(command.args), ...optionsOf(command.args)].join(' '), command]),
  );
  const problems = await Promise.all(
    [...different.values()].map(async ({ place, args }) => {
      // It checks the options before it shows its help. For an unknown command, it shows the help of the previous word.
      const words = wordsOf(args).join(' ');
      return temporal(...args, '--help').then(
        (help) => (help.includes(`temporal ${words}`) ? [] : [`${place}: no command ${words}`]),
        (error: { readonly stderr: string }) => [`${place}: temporal ${args.join(' ')}: ${error.stderr.trim()}`],
      );
    }),
  );
  expectNone(problems.flat(), 'correct the command in the docs');
});

it('a service without the library starts, controls and reads an upload as in docs/services.md', () =>
  withSystem(
    async (system) => {
      const { temporalAddress, taskQueue, startWorker, directory, download } = system;
      await startWorker({ host: 'worker-1' });
      const content = await randomFile(join(directory, 'train.jsonl'), 12 * MiB);
      const workflowId = `nightly-${taskQueue}`;
      const input = ofServices.flatMap(({ args }) => args).find((arg) => arg.startsWith('{"source"')) ?? '';
      const smallParts = {
        ...JSON.parse(input.replace('/data', directory)),
        check: 'off',
        partSizeBytes: MiB,
        concurrency: 2,
      };
      const texts: Readonly<Record<string, string>> = {
        [input]: JSON.stringify(smallParts),
        longhaul: taskQueue,
        'nightly-2026-11-23': workflowId,
        ID: workflowId,
      };
      const documented = (part: string) => {
        const found = ofServices.find(({ args }) => args.includes(part));
        const args = (found?.args ?? []).map((arg) => texts[arg] ?? arg);
        return temporal(...args, '--address', temporalAddress, '-o', 'json');
      };

      await documented('start');
      await partsReceived(system, 2);
      expect(await documented('pause')).toContain('"paused"');
      expect(JSON.parse(await documented('query'))).toMatchObject({
        queryResult: [{ state: 'paused', bytesTotal: 12 * MiB, partsInFlight: 0 }],
      });
      await documented('retune');
      await documented('retry');
      await documented('resume');

      const result = ['workflow', 'result', '--workflow-id', workflowId, '--address', temporalAddress, '-o', 'json'];
      const outcome = JSON.parse(await temporal(...result));
      expect(outcome.result).toMatchObject({ workflowId, bytes: content.length, md5: md5(content), parts: 12 });
      expect(md5(await download(outcome.result.file.id))).toBe(md5(content));
    },
    { bandwidthBytesPerSecond: 5 * MiB },
  ));
