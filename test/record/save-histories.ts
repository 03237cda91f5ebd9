import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { MiB, type System } from '../support/system.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';

const directory = new URL('../replay/histories/', import.meta.url);

/** Saves the histories of all executions of a workflow, first to last, as the Temporal CLI prints them. */
export async function saveHistories(name: string, system: System, workflowId: string): Promise<void> {
  const histories: string[] = [];
  for (let runId = await firstRunId(system, workflowId); runId;) {
    const history = await show(system.temporalAddress, workflowId, runId);
    histories.push(history);
    runId = /"newExecutionRunId": "([0-9a-f-]+)"/.exec(history.slice(history.lastIndexOf('"eventId"')))?.[1] ?? '';
  }
  for (const [index, history] of histories.entries()) {
    const file = histories.length === 1 ? `${name}.json` : `${name}-${index + 1}.json`;
    await writeFile(new URL(file, directory), history);
  }
}

async function firstRunId({ client }: System, workflowId: string): Promise<string> {
  const { events } = await client.temporal.workflow.getHandle(workflowId).fetchHistory();
  return events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? '';
}

async function show(address: string, workflowId: string, runId: string): Promise<string> {
  const { path } = await temporalCliForTests();
  const args = ['workflow', 'show', '--address', address, '-w', workflowId, '-r', runId, '-o', 'json'];
  const { stdout } = await promisify(execFile)(path, args, { maxBuffer: 64 * MiB });
  // Stacks tell of the machine that recorded them, and nothing that replaying needs.
  const withoutStacks = (key: string, value: unknown) => (key === 'stackTrace' ? '' : value);
  return `${JSON.stringify(JSON.parse(stdout, withoutStacks), null, 2)}\n`;
}
