import { PayloadLimits } from '../contracts/limits.ts';
import { formatBytes } from './text/format.ts';
import { quoted, utf8Length } from './text/clip.ts';
import type { PackSyncMemoryInput, SyncScope } from '../contracts/plan-sync.ts';
import type { SyncMemory } from '../contracts/sync.ts';

/** Bytes of a value as Temporal stores it: JSON in UTF-8, with its escapes. */
export function jsonBytes(value: unknown): number {
  const json = JSON.stringify(value) as string | undefined;
  return json === undefined ? 0 : utf8Length(json);
}

/** The first items of a list that fit, and their bytes with their commas. */
export function takeWithin<T>(
  items: readonly T[],
  { bytes: most, count = items.length }: { readonly bytes: number; readonly count?: number },
): { readonly taken: readonly T[]; readonly bytes: number } {
  let bytes = 0;
  let taken = 0;
  while (taken < Math.min(items.length, count)) {
    const next = bytes + jsonBytes(items[taken]) + 1;
    if (next > most) break;
    bytes = next;
    taken++;
  }
  return { taken: items.slice(0, taken), bytes };
}

/** The reason why a payload cannot be sent; undefined if Temporal accepts it. */
export function payloadProblem(name: string, bytes: number): string | undefined {
  if (bytes <= PayloadLimits.payload) return undefined;
  const sizes = `${formatBytes(bytes)} (${bytes} bytes), and Temporal accepts ${PayloadLimits.payload} bytes`;
  return `${name} has ${sizes}. Use shorter names, or divide the work into smaller requests`;
}

/** The reason why the completion of an Upload could not name all of its parts, from the ID of one of them. */
export function partIdsProblem(partCount: number, partId: string): string | undefined {
  const bytes = partCount * (jsonBytes(partId) + 1);
  if (bytes <= PayloadLimits.partIds) return undefined;
  const most = formatBytes(PayloadLimits.partIds);
  return `the IDs of ${partCount} parts have about ${formatBytes(bytes)}, and the limit is ${most}. Use a larger part size`;
}

/** Of a command of a workflow, without its arguments: IDs, timeouts, retry policy, summary and search attributes. */
const COMMAND_BYTES = 3000;

/** About the bytes of a command that schedules an activity or starts a workflow with these arguments. */
export function commandBytes(...args: readonly unknown[]): number {
  return jsonBytes(args) + COMMAND_BYTES;
}

/** Maximum number of commands of this size that a workflow has in flight, as one message can contain all of them. */
export function mostInFlight(bytes: number): number {
  return Math.max(1, Math.floor(PayloadLimits.inFlight / bytes));
}

type Learnt = Pick<PackSyncMemoryInput, 'add' | 'remove'>;

/**
 * The next input of `packSyncMemory` that fits into a payload, and what is left for further ones. Paths are removed
 * before any is added again, as one call does it.
 */
export function packInput(
  scope: SyncScope,
  memory: SyncMemory | null,
  { add, remove }: Learnt,
): Learnt & { readonly input: PackSyncMemoryInput } {
  const room = PayloadLimits.payload - jsonBytes({ scope, memory, add: [], remove: [] });
  const removing = takeWithin(remove, { bytes: room });
  const areAllRemoved = removing.taken.length === remove.length;
  let { taken: adding } = takeWithin(areAllRemoved ? add : [], { bytes: room - removing.bytes });
  // One at least: an entry that fits nowhere fails with a reason.
  if (adding.length + removing.taken.length === 0 && areAllRemoved) adding = add.slice(0, 1);
  const removed = adding.length + removing.taken.length === 0 ? remove.slice(0, 1) : removing.taken;
  return {
    input: { scope, memory, add: adding, remove: removed },
    add: add.slice(adding.length),
    remove: remove.slice(removed.length),
  };
}

/** As in the encryption samples of Temporal's SDKs, so that a client in another language can use their codec. */
export const ENCRYPTED_ENCODING = 'binary/encrypted';

/** Replaces a value of a caller that cannot be read: encrypted, or not JSON. */
export class Unreadable {
  /** As the payload's metadata has it. */
  readonly encoding: string;

  constructor(encoding: string) {
    this.encoding = encoding;
  }
}

/** Whether JSON calls a value an object: not a list, and not the bytes of a payload that is not JSON. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Unreadable)
  );
}

/** The reason why an input of a caller is not an object that can be sent on; undefined for a good one. */
export function inputProblem(what: string, value: unknown): string | undefined {
  if (value instanceof Unreadable) {
    const fix = value.encoding === ENCRYPTED_ENCODING ? '. Set LONGHAUL_ENCRYPTION_KEY_FILE on the workers' : '';
    return `${what} must be plain JSON, and its encoding is ${quoted(value.encoding)}${fix}`;
  }
  if (!isPlainObject(value)) return `${what} must be an object`;
  return jsonBytes(value) > PayloadLimits.request
    ? `${what} must have at most ${PayloadLimits.request} bytes as JSON`
    : undefined;
}
