import { MAX_KEYWORD_LENGTH, SearchAttributes } from '../../contracts/search-attributes.ts';
import type { JobSubject } from '../../contracts/failures.ts';
import type { SyncProgress } from '../../contracts/sync.ts';
import type { UploadProgress, WaitingInfo } from '../../contracts/upload.ts';
import { nameKey } from '../text/name-form.ts';

export type AttributeName = keyof typeof SearchAttributes;

interface ValueTypes {
  readonly KEYWORD: string;
  readonly INT: number;
  readonly DOUBLE: number;
  readonly BOOL: boolean;
}

/** Values of the search attributes; null if an attribute has no value. */
export type AttributeValues = {
  readonly [Name in AttributeName]: ValueTypes[(typeof SearchAttributes)[Name]['type']] | null;
};

/** In the form of Temporal's SDKs: null removes the attribute. */
export type AttributePair = {
  readonly [Type in keyof ValueTypes]: {
    readonly key: { readonly name: string; readonly type: Type };
    readonly value: ValueTypes[Type] | null;
  };
}[keyof ValueTypes];

/** Nothing is known of a request that was not checked. */
function subjectAttributes(subject: JobSubject | undefined): Pick<AttributeValues, keyof JobSubject> {
  if (!subject) return { filename: null, purpose: null, destination: null };
  const { filename, purpose, destination } = subject;
  return { filename: keyword(nameKey(filename)), purpose: keyword(purpose), destination: keyword(destination) };
}

/** A failure's type, and the status of a refusal: `ApiRejected 403`. */
export function reasonLabel(failureType: string, status: number | undefined): string {
  return status === undefined ? failureType : `${failureType} ${status}`;
}

/** @param end why it failed, or the File that it became */
export function uploadAttributes(
  progress: Pick<UploadProgress, 'state' | 'bytesTotal' | 'bytesDone' | 'sessionEndsTooEarly' | 'waiting'>,
  subject: JobSubject | undefined,
  end: { readonly reason?: string | undefined; readonly fileId?: string | undefined },
): AttributeValues {
  const { state, bytesTotal, bytesDone, sessionEndsTooEarly, waiting } = progress;
  return {
    ...subjectAttributes(subject),
    state,
    reason: reasonOf(state, waiting, end.reason),
    fileId: end.fileId === undefined ? null : keyword(end.fileId),
    ...amounts(bytesTotal, bytesDone),
    endsTooEarly: bytesTotal > 0 ? state === 'uploading' && sessionEndsTooEarly : null,
  };
}

/** @param reason why it failed, or the first file that it could not bring */
export function syncAttributes(
  { state, bytesTotal, bytesDone, waiting }: Pick<SyncProgress, 'state' | 'bytesTotal' | 'bytesDone' | 'waiting'>,
  subject: JobSubject | undefined,
  reason: string | undefined,
): AttributeValues {
  return {
    ...subjectAttributes(subject),
    state,
    reason: reasonOf(state, waiting, reason),
    fileId: null,
    ...amounts(bytesTotal, bytesDone),
    endsTooEarly: null,
  };
}

export function attributePairs(values: Partial<AttributeValues>): AttributePair[] {
  return (Object.keys(values) as AttributeName[]).map(
    (name) => ({ key: { ...SearchAttributes[name] }, value: values[name] }) as AttributePair,
  );
}

/** What a workflow carries already. @param untyped values by name, each in a list, as the SDK reads them */
export function readAttributes(
  untyped: Readonly<Record<string, readonly unknown[] | undefined>>,
): Partial<AttributeValues> {
  const found = (Object.keys(SearchAttributes) as AttributeName[]).flatMap((name) => {
    const [value] = untyped[SearchAttributes[name].name] ?? [];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

function reasonOf(state: string, waiting: WaitingInfo | null, endedBy: string | undefined): string | null {
  const waitsFor = waiting ? reasonLabel(waiting.failureType, waiting.status) : undefined;
  const reason = state === 'waiting' ? waitsFor : state === 'failed' || state === 'completed' ? endedBy : undefined;
  return reason === undefined ? null : keyword(reason);
}

function amounts(bytes: number, bytesDone: number): Pick<AttributeValues, 'bytes' | 'bytesDone' | 'percent'> {
  if (bytes === 0) return { bytes: null, bytesDone: null, percent: null };
  // Rounded down, so that 100 means complete.
  return { bytes, bytesDone, percent: Math.floor((bytesDone / bytes) * 1000) / 10 };
}

/** Cut at what SQL keeps, and without what PostgreSQL's JSON can't hold. */
function keyword(text: string): string {
  return Array.from(text.replace(/[\0\p{Surrogate}]/gu, '\u{fffd}'))
    .slice(0, MAX_KEYWORD_LENGTH)
    .join('');
}

/** Progress alone is a change after this share of the whole, so that there are at most 20 changes. */
const STEP = 0.05;

const ofProgress: readonly AttributeName[] = ['bytesDone', 'percent', 'endsTooEarly'];

/**
 * Decides which search attributes of a workflow to change, and when, because each change is an event of the history. It
 * needs no clock. It starts with the current values of the workflow, so that a continued execution repeats no change.
 */
export class AttributeUpdates {
  #shown: Partial<AttributeValues>;
  #toldEndsTooEarly = false;

  /** @param shown current values of the workflow */
  constructor(shown: Partial<AttributeValues>) {
    this.#shown = shown;
  }

  /**
   * @param isSettled whether no bytes move, so that the exact progress is final
   * @returns the changes, which it then counts as made; empty if no value changed, or if the change can wait
   */
  next(values: Partial<AttributeValues>, isSettled: boolean): Partial<AttributeValues> {
    const names = (Object.keys(values) as AttributeName[]).filter((name) => values[name] !== this.#at(name));
    if (names.length === 0 || !this.#isDue(names, values, isSettled)) return {};
    this.#shown = { ...this.#shown, ...values };
    return Object.fromEntries(names.map((name) => [name, values[name]]));
  }

  #isDue(names: readonly AttributeName[], values: Partial<AttributeValues>, isSettled: boolean): boolean {
    if ((values.bytesDone ?? 0) < (this.#at('bytesDone') ?? 0)) this.#toldEndsTooEarly = false;
    const isNews = values.endsTooEarly === true && names.includes('endsTooEarly') && !this.#toldEndsTooEarly;
    // Near its threshold it comes and goes with every part.
    if (isNews) this.#toldEndsTooEarly = true;
    if (isNews || isSettled || names.some((name) => !ofProgress.includes(name))) return true;
    const grown = (values.bytesDone ?? 0) - (this.#at('bytesDone') ?? 0);
    return grown >= STEP * (values.bytes ?? 0);
  }

  #at<Name extends AttributeName>(name: Name): AttributeValues[Name] | null {
    return (this.#shown as AttributeValues)[name] ?? null;
  }
}

const overStates: readonly string[] = ['completed', 'failed', 'cancelled'];

/** The state that is shown for a workflow: a wait or a pause before an action, and the end before both. */
export function shownState<State extends string>(
  state: State,
  { isWaiting, isPaused }: { readonly isWaiting: boolean; readonly isPaused: boolean },
): State | 'waiting' | 'paused' {
  if (overStates.includes(state)) return state;
  if (isWaiting) return 'waiting';
  return isPaused ? 'paused' : state;
}

/** The wait that is shown: none after the end, and none if the next attempt is already running. */
export function shownWait(state: string, waiting: WaitingInfo | undefined, nowMs: number): WaitingInfo | null {
  if (!waiting || overStates.includes(state)) return null;
  return { ...waiting, nextProbeAtMs: Math.max(waiting.nextProbeAtMs, nowMs) };
}

/** A text as a list query of Temporal's quotes it: an ID may have quotes, which would end the text there. */
export function queryText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
