import { MAX_KEYWORD_LENGTH, SearchAttributes } from '../contracts/search-attributes.ts';
import type { SyncProgress } from '../contracts/sync.ts';
import type { UploadProgress, WaitingInfo } from '../contracts/upload.ts';
import { nameKey } from './name-form.ts';

export type AttributeName = keyof typeof SearchAttributes;

interface ValueTypes {
  readonly KEYWORD: string;
  readonly INT: number;
  readonly DOUBLE: number;
  readonly BOOL: boolean;
}

/** Values of the search attributes; null where there is none. */
export type AttributeValues = {
  readonly [Name in AttributeName]: ValueTypes[(typeof SearchAttributes)[Name]['type']] | null;
};

/** As Temporal's SDKs take it: null takes the attribute away. */
export type AttributePair = {
  readonly [Type in keyof ValueTypes]: {
    readonly key: { readonly name: string; readonly type: Type };
    readonly value: ValueTypes[Type] | null;
  };
}[keyof ValueTypes];

/** What is known of a workflow from its start to its end. */
export interface AttributeSubject {
  /** Of a sync: its source's. */
  readonly filename: string;
  readonly purpose: string;
  readonly destination: string;
}

/** What those who start a workflow say of it; it says the rest itself, and only when it was given these. */
export function initialAttributes(
  state: 'inspecting' | 'listing',
  { filename, purpose, destination }: AttributeSubject,
): Pick<AttributeValues, 'state' | keyof AttributeSubject> {
  return { state, filename: keyword(nameKey(filename)), purpose: keyword(purpose), destination: keyword(destination) };
}

/** A failure's type, and the status of a refusal: `ApiRejected 403`. */
export function reasonLabel(failureType: string, status: number | undefined): string {
  return status === undefined ? failureType : `${failureType} ${status}`;
}

/** @param end why it failed, or the File that it became */
export function uploadAttributes(
  progress: Pick<UploadProgress, 'state' | 'bytesTotal' | 'bytesDone' | 'sessionEndsTooEarly' | 'waiting'>,
  subject: AttributeSubject,
  end: { readonly reason?: string | undefined; readonly fileId?: string | undefined },
): AttributeValues {
  const { state, bytesTotal, bytesDone, sessionEndsTooEarly, waiting } = progress;
  return {
    ...initialAttributes('inspecting', subject),
    state,
    reason: reasonOf(state, waiting, end.reason),
    fileId: end.fileId === undefined ? null : keyword(end.fileId),
    ...amounts(bytesTotal, bytesDone),
    endsTooEarly: bytesTotal > 0 ? state === 'uploading' && sessionEndsTooEarly : null,
  };
}

/** @param reason why it failed, or the first file that it could not bring */
export function syncAttributes(
  { state, counts, waiting }: Pick<SyncProgress, 'state' | 'counts' | 'waiting'>,
  subject: AttributeSubject,
  reason: string | undefined,
): AttributeValues {
  return {
    ...initialAttributes('listing', subject),
    state,
    reason: reasonOf(state, waiting, reason),
    fileId: null,
    ...amounts(counts.toSend.bytes, counts.sent.bytes),
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
  // Rounded down, so that 100 says that all is there.
  return { bytes, bytesDone, percent: Math.floor((bytesDone / bytes) * 1000) / 10 };
}

/** Cut at what SQL keeps, and without what PostgreSQL's JSON can't hold. */
function keyword(text: string): string {
  return Array.from(text.replace(/[\0\p{Surrogate}]/gu, '\u{fffd}'))
    .slice(0, MAX_KEYWORD_LENGTH)
    .join('');
}
