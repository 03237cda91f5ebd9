import fc from 'fast-check';
import { jsonText, mutated, strangeValues } from './mutated.ts';

export interface Payload {
  readonly metadata: Readonly<Record<string, Uint8Array>>;
  readonly data: Uint8Array;
}

export interface Start {
  readonly type: string;
  readonly payloads: readonly Payload[];
  readonly memo?: Readonly<Record<string, Payload>>;
  readonly workflowId?: string;
  /** Sent with the start, so that it arrives before the first task. */
  readonly signal?: { readonly name: string; readonly payloads: readonly Payload[] };
}

const encoded = (encoding: string, data: string): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(data),
});
export const json = (value: unknown) => encoded('json/plain', jsonText(value));

/** Payloads that are not requests. */
export const encodings = [
  encoded('binary/encrypted', 'sealed'),
  encoded('json/protobuf', '{}'),
  encoded('json/plain', '{"source":'),
  encoded('json/plain', '"\\ud800'),
  encoded('binary/plain', 'abc'),
  encoded('', '{}'),
];

const types = ['uploadFile', 'uploadSplitFile', 'syncSource', 'requestRate'];
const signals = { report: ['x', { waiting: null }], control: [{ type: 'pause' }, 1], reserve: [1] };

/** Inputs of updates, by name. */
const controls: Readonly<Record<string, unknown>> = {
  pause: { parts: 'finish' },
  resume: {},
  retry: {},
  retune: { concurrency: 2, partSizeBytes: 1_048_576 },
  reserve: { count: 1, perMinute: 1000 },
  nothing: {},
};

/** Returns all pairs if `isEach` is set. Otherwise, each value of the first list is in one pair, with values of the second in turn. */
function pairsOf<A, B>(first: readonly A[], second: readonly B[], isEach: boolean): (readonly [A, B])[] {
  if (isEach) return first.flatMap((one) => second.map((other) => [one, other] as const));
  return first.map((one, index) => [one, second[index % second.length] as B]);
}

/** Starts of workflows by other programs: about `count` with generated requests, and some with other payloads or signals. */
export function strangeStarts(
  { file, folder, taskQueue }: { readonly file: string; readonly folder: string; readonly taskQueue: string },
  count: number,
  { isEach }: { readonly isEach: boolean },
): Start[] {
  const upload = { source: { type: 'file', path: file }, purpose: 'assistants', filename: 'a.jsonl', fairnessKey: 'k' };
  const others = {
    transferTaskQueue: `${taskQueue}-transfer`,
    destination: 'default',
    expectedFingerprint: 'x',
    md5: true,
  };
  const source = { type: 'folder', path: folder };
  const sync = { source, purpose: 'assistants', prefix: 'p-', include: ['*'], dryRun: true };
  const session = { info: { uploadId: 'u', createdAt: 1, expiresAt: 2 }, openedAtMs: 1, resent: false, sizeBytes: 1 };
  const carried = {
    source: { sizeBytes: 1, fingerprint: 'x' },
    session: { ...session, partSizeBytes: 1, partIds: [null] },
  };
  const requests: Readonly<Record<string, unknown>> = {
    uploadFile: upload,
    uploadSplitFile: { ...upload, pieceSizeBytes: 60 },
    syncSource: sync,
    requestRate: { nextMs: 1 },
  };
  const draw = <T>(values: fc.Arbitrary<T>, share: number) => fc.sample(values, Math.max(Math.round(share * count), 1));
  const requested = (type: string, correct: unknown, share: number): Start[] =>
    draw(mutated(correct), share).map((request) => ({ type, payloads: [json(request)] }));
  const handed = (type: string, second: unknown, share: number): Start[] =>
    draw(fc.oneof(mutated(second), strangeValues), share).map((argument) => ({
      type,
      payloads: [json(requests[type]), json(argument)],
    }));
  return [
    ...requested('uploadFile', upload, 0.2),
    ...requested('uploadFile', { ...upload, ...others }, 0.2),
    ...requested('uploadFile', { ...upload, source: { type: 's3', bucket: 'bucket', key: 'k' } }, 0.05),
    ...requested('uploadFile', { ...upload, source: { type: 'http', url: 'http://127.0.0.1:9/x' } }, 0.05),
    ...requested('uploadSplitFile', { ...upload, pieceSizeBytes: 1000, again: false }, 0.1),
    ...requested('syncSource', sync, 0.15),
    ...handed('uploadFile', carried, 0.1),
    ...handed('syncSource', { memory: null, run: { planId: 'p', counts: {} } }, 0.1),
    ...requested('requestRate', { nextMs: 1 }, 0.05),
    ...pairsOf(types, Object.entries(signals), isEach).map(([type, [name, inputs]]): Start => ({
      type,
      payloads: [json(requests[type])],
      signal: { name, payloads: inputs.map(json) },
    })),
    ...pairsOf(encodings, types, isEach).map(([strange, type]): Start => ({ type, payloads: [strange] })),
    ...pairsOf(encodings, ['uploadFile', 'uploadSplitFile'], isEach).map(([strange, type]): Start => ({
      type,
      payloads: [json(upload)],
      memo: { longhaulIdentity: strange, other: strange },
    })),
    { type: 'uploadFile', payloads: [json({ ...upload, fairnessKey: '\ud800' })] },
    { type: 'uploadFile', payloads: [json({ ...upload, '\ud800': 1 })] },
    { type: 'uploadFile', payloads: [json({ ...upload, ['x'.repeat(1_000_000)]: 1 })] },
    { type: 'uploadFile', payloads: [json({ ...upload, transferTaskQueue: '/_sys/a/3' })] },
    { type: 'uploadFile', payloads: [json({ ...upload, source: { ...upload.source, host: 'h'.repeat(1000) } })] },
    { type: 'uploadSplitFile', payloads: [json(upload)], workflowId: `${taskQueue}-`.padEnd(995, 'i') },
    { type: 'syncSource', payloads: [json({ ...sync, dryRun: false })], workflowId: `${taskQueue}-`.padEnd(996, 'i') },
  ];
}

export interface Input {
  readonly name: string;
  readonly payload: Payload;
}

/** Inputs of updates, queries and signals: `count` generated ones for each name, and other payloads. */
export function strangeInputs(count: number): Input[] {
  const others = [...encodings, json({ parts: 'finish', more: 'x'.repeat(1_900_000) })];
  return [
    ...Object.entries(controls).flatMap(([name, correct]) =>
      fc.sample(mutated(correct), count).map((input) => ({ name, payload: json(input) })),
    ),
    ...(count > 1 ? others : others.slice(0, 1)).map((strange) => ({ name: 'pause', payload: strange })),
  ];
}

/** Inputs of the signals between a split upload or sync and its uploads: `count` generated ones of each kind. */
export function strangeSignals(upload: string, count: number): (Omit<Input, 'payload'> & { payloads: Payload[] })[] {
  const wait = { reason: 'r', failureType: 'ApiRejected', status: 401, sinceMs: 1, retryAtMs: 2, nextProbeAtMs: 3 };
  const report = { control: 1, waiting: wait, progress: { state: 'waiting' } };
  const values = (correct: unknown) =>
    [...fc.sample(mutated(correct), count), null, ...(count > 1 ? ['pause', [], {}] : [])].filter(
      // A client reads a history as one message.
      (value) => jsonText(value).length < 10_000,
    );
  const control = (value: unknown) => ({ name: 'control', payloads: [value, 1].map(json) });
  const reported = (value: unknown) => ({ name: 'report', payloads: [upload, value].map(json) });
  return [
    ...values({ type: 'pause', parts: 'stop', whileCompleting: true }).map(control),
    ...values(report).map(reported),
    ...values(wait).map((value) => reported({ ...report, waiting: value })),
    { name: 'control', payloads: [] },
    { name: 'report', payloads: [] },
  ];
}
