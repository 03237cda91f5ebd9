import type { Command } from './run.ts';

/** Limits of the Temporal server: of the payloads of a command, of a search attribute and of a name. */
const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024;
const MAX_ATTRIBUTE_BYTES = 2048;
const MAX_NAME_BYTES = 1000;
/** More than any timer of a workflow needs. */
const MAX_TIMER_SECONDS = 24 * 3600;

export interface Problem {
  readonly rule: string;
  readonly text: string;
}

/** Returns the rules that a command breaks. The server rejects the command, and the workflow task fails repeatedly. */
export function commandProblems(command: Command): Problem[] {
  const problems: Problem[] = [];
  const { startTimer, upsertWorkflowSearchAttributes } = command;
  const seconds = Number(startTimer?.startToFireTimeout?.seconds ?? 0);
  if (!(seconds >= 0 && seconds <= MAX_TIMER_SECONDS))
    problems.push({ rule: 'a timer ends within a day', text: `${seconds} s` });
  const bytes = bytesOf(command);
  if (bytes > MAX_PAYLOAD_BYTES)
    problems.push({ rule: 'Temporal accepts the size of a command', text: `${bytes} bytes` });
  const { scheduleActivity, startChildWorkflowExecution: child } = command;
  for (const name of [scheduleActivity?.taskQueue, child?.taskQueue, child?.workflowId])
    if (name && (Buffer.byteLength(name) > MAX_NAME_BYTES || name.startsWith('/_sys/')))
      problems.push({ rule: 'Temporal accepts the names of a command', text: name });
  const fields = upsertWorkflowSearchAttributes?.searchAttributes?.indexedFields ?? {};
  for (const [name, value] of Object.entries(fields))
    if (bytesOf(value) > MAX_ATTRIBUTE_BYTES)
      problems.push({ rule: 'Temporal accepts the size of a search attribute', text: name });
  return problems;
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let bytes = 0;
  for (const content of Object.values(value)) bytes += bytesOf(content);
  return bytes;
}
