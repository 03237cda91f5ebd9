import type { Command, Job } from './run.ts';

/** The jobs of an activation, as a worker builds them from history: patches first, and no update that was rejected. */
export function recordedJobs(jobs: readonly Job[], commands: readonly Command[]): Job[] {
  const patches = commands.flatMap(({ setPatchMarker }) => (setPatchMarker ? [setPatchMarker.patchId ?? ''] : []));
  const rejected = rejectedUpdates(jobs, commands);
  const rest = jobs
    .filter(({ doUpdate }) => !rejected.has(doUpdate?.protocolInstanceId ?? ''))
    .map((job) => (job.doUpdate ? { doUpdate: { ...job.doUpdate, runValidator: false } } : job));
  return [...patches.map((patchId) => ({ notifyHasPatch: { patchId } })), ...rest];
}

/** @returns the first difference, if there is one */
export function sameCommands(
  { commands: recorded, jobs }: { readonly commands: readonly Command[]; readonly jobs: readonly Job[] },
  replayed: readonly Command[],
): string | undefined {
  const rejected = rejectedUpdates(jobs, recorded);
  const kept = recorded.filter(({ updateResponse }) => !rejected.has(updateResponse?.protocolInstanceId ?? ''));
  if (isSame(kept, replayed)) return undefined;
  const expected = kept.map(textOf);
  const actual = replayed.map(textOf);
  const index = expected.findIndex((text, position) => text !== actual[position]);
  if (index === -1 && expected.length === actual.length) return undefined;
  const position = index === -1 ? expected.length : index;
  return `command ${position + 1} after ${jobs.map(kindOf).join(', ')} was ${expected[position] ?? 'none'}, and is ${actual[position] ?? 'none'} in the replay`;
}

/** Whether two values have the same text, which costs more. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (ArrayBuffer.isView(a)) return ArrayBuffer.isView(b) && Buffer.compare(a as Uint8Array, b as Uint8Array) === 0;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => key === 'stackTrace' || isSame(Reflect.get(a, key), Reflect.get(b, key)));
}

/** Updates that their validator rejected: they are not in history. */
function rejectedUpdates(jobs: readonly Job[], commands: readonly Command[]): ReadonlySet<string> {
  const responses = commands.flatMap(({ updateResponse }) => (updateResponse ? [updateResponse] : []));
  const accepted = new Set(
    responses.filter((response) => response.accepted).map((response) => response.protocolInstanceId),
  );
  const sent = jobs.map(({ doUpdate }) => doUpdate?.protocolInstanceId).filter((id) => id !== undefined && id !== null);
  return new Set(sent.filter((id) => !accepted.has(id)));
}

function kindOf(job: Job): string {
  return Object.keys(job)[0] ?? 'nothing';
}

function textOf(command: Command): string {
  return JSON.stringify(command, (key, value: unknown) => {
    if (key === 'stackTrace') return undefined;
    return ArrayBuffer.isView(value) ? Buffer.from(value as Uint8Array).toString('latin1') : value;
  });
}
