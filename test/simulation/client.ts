import { AbortedError, ConnectionError, StrangeAnswerError, TimeoutError } from '../../src/errors.ts';
import type { DestinationLimits } from '../../src/contracts/limits.ts';
import { effectOf, type FaultEffect } from '../../src/local-api/fault-effect.ts';
import type { CallOptions } from '../../src/destinations/http/call-limits.ts';
import type { Completion, Destination, NewFile } from '../../src/destinations/port.ts';
import { mockDestination, type MockedMethods } from '../support/mock-activity.ts';
import type { AttemptInfo } from './activity-task.ts';
import type { VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { Call, Fault } from './plan.ts';
import { rejected, type Service } from './service.ts';
import type { SourceReader } from '../../src/sources/source-reader.ts';
import type { Workers } from './activities.ts';
import type { ModelManifest } from './manifest.ts';
import type { Namespace } from './namespace.ts';
import { contentOfSource, type ModelReader, type ModelSources } from './source.ts';

/** As the default of a destination. */
const STALL_TIMEOUT_MS = 60_000;

export interface ClientWorld {
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly service: Service;
  readonly sources: ModelSources;
  readonly namespace: Namespace;
  readonly manifest: ModelManifest;
  readonly workers: Workers;
  /** Most uploads of one batch of the lists of a sync. */
  readonly batchFiles: number;
  readonly hasAttributes: boolean;
  readonly isInvalid: (content: string, sizeBytes: number) => boolean;
  readonly limits: DestinationLimits;
  readonly durationMs: (call: Call, key: string) => number;
  /** Counts the call. @returns the fault that hits it */
  readonly onCall: (call: Call, info: AttemptInfo) => Fault | undefined;
  readonly trace: (line: string) => void;
  /** The completion of a session is without a certain answer. */
  readonly onDoubt: (uploadId: string) => void;
}

/** The process that runs an attempt. */
export interface Process {
  readonly info: AttemptInfo;
  isDead: boolean;
  /** Called if it dies: of completions that run. */
  readonly doubts: Set<() => void>;
}

interface Work<T> {
  readonly call: Call;
  readonly subject: string;
  readonly run: (isDamaged?: boolean) => T;
  readonly onDoubt?: () => void;
  readonly options: CallOptions | undefined;
}

/** A client of the model, whose methods take virtual time and can be hit by faults. */
export function modelClient(world: ClientWorld, process: Process): Destination {
  const { service } = world;
  const call = <T>(work: Work<T>) => makeCall(world, process, work);
  const methods: MockedMethods = {
    limits: () => world.limits,
    open: (fields: NewFile, options) =>
      call({ call: 'createUpload', subject: '', run: () => service.create(fields), options }),
    send: async (uploadId, { reader, offsetBytes, sizeBytes }, options) => {
      const content = await contentReader(reader, sizeBytes);
      return call({
        call: 'addPart',
        subject: `bytes ${offsetBytes}+${sizeBytes} of ${uploadId}`,
        run: (isDamaged?: boolean) => {
          const own = content();
          return service.addPart(uploadId, { offsetBytes, sizeBytes, content: isDamaged ? `${own} damaged` : own });
        },
        options,
      });
    },
    complete: (uploadId: string, fields: Completion, options) =>
      call({
        call: 'completeUpload',
        subject: uploadId,
        run: () => service.complete(uploadId, fields),
        onDoubt: () => world.onDoubt(uploadId),
        options,
      }),
    cancel: (uploadId, options) =>
      call({ call: 'cancelUpload', subject: uploadId, run: () => service.cancel(uploadId), options }),
    list: (query, options) =>
      call({
        call: 'listFiles',
        subject: '',
        run: () =>
          ({ files: service.list(query?.purpose), hasMore: false, nextAfter: undefined, unreadable: [] }) as never,
        options,
      }),
    read: ((fileId: string) => Promise.resolve([Buffer.from(service.files.get(fileId)?.text ?? '')])) as never,
    retrieve: (fileId, options) =>
      call({ call: 'retrieveFile', subject: fileId, run: () => service.retrieve(fileId), options }),
    remove: (fileId, options) =>
      call({ call: 'deleteFile', subject: fileId, run: () => service.delete(fileId), options }),
  };
  return mockDestination(methods);
}

/** Names the bytes that a reader reads when they arrive, or now if another reader is around it, which hashes them. */
async function contentReader(reader: SourceReader, sizeBytes: number): Promise<() => string> {
  if ('content' in reader) return () => (reader as ModelReader).content();
  await reader.read(Buffer.alloc(sizeBytes), 0);
  const { fingerprint } = await reader.stat();
  const content = contentOfSource(fingerprint, { type: 'file', path: '' });
  return () => content;
}

async function makeCall<T>(world: ClientWorld, process: Process, work: Work<T>): Promise<T> {
  const { clock, dice, trace } = world;
  const { call, subject, options } = work;
  const key = `${process.info.key}/${call}`;
  const fault = world.onCall(call, process.info);
  const name = `${call}${subject ? ` (${subject})` : ''}`;
  if (fault) trace(`${name}: ${describeFault(fault)}`);
  else trace(name);
  const timeoutMs = options?.timeoutMs ?? 600_000;
  const neededMs = world.durationMs(call, key) + (fault?.kind === 'slow' ? fault.ms : 0);
  const silentMs = fault?.kind === 'silent' ? Math.min(STALL_TIMEOUT_MS, timeoutMs) : undefined;
  const waitMs = Math.min(silentMs ?? neededMs, timeoutMs);
  const doubt = () => work.onDoubt?.();
  process.doubts.add(doubt);
  const isAborted = await clock.sleep(waitMs, options?.signal).then(
    () => false,
    () => true,
  );
  process.doubts.delete(doubt);
  const isTimeout = silentMs !== undefined || waitMs < neededMs;
  if (process.isDead || isAborted || isTimeout) {
    work.onDoubt?.();
    const arrives = fault?.kind === 'silent' ? effectOfFault(fault).works : dice.chance(`${key}/arrives`, 0.5);
    if (arrives) attempted(work.run);
    trace(
      `${name} ${process.isDead ? 'of a lost worker' : isAborted ? 'was aborted' : 'timed out'}${arrives ? ' and arrived' : ''}`,
    );
    if (process.isDead) return await new Promise<never>(() => {});
    throw isAborted ? new AbortedError(`${call} was aborted`) : new TimeoutError(`${call} had no response in time`);
  }
  return answer(world, work, fault, name);
}

function answer<T>({ service, trace }: ClientWorld, work: Work<T>, fault: Fault | undefined, name: string): T {
  const { call, subject } = work;
  const { endsUpload, works, response } = effectOfFault(fault);
  if (endsUpload) service.end(/upload_\d+/.exec(subject)?.[0] ?? '', endsUpload);
  if (fault === undefined || response === 'result')
    return resultOf(() => work.run(fault?.kind === 'damaged'), trace, name);
  if (works) attempted(work.run);
  if (fault.kind !== 'status') work.onDoubt?.();
  else if (works || isUnclear(fault)) work.onDoubt?.();
  if (fault.kind === 'status')
    throw rejected(fault.status, `injected, while ${call}`, fault.retryAfterMs, fault.apiCode);
  if (fault.kind === 'strange') throw new StrangeAnswerError(`${call} was answered by something else`);
  throw new ConnectionError(`${call} broke`);
}

/** Faults by their names in the local API, which handles them in the same way. */
const faultNames = {
  status: 'status',
  lost: 'lost-answer',
  unreachable: 'reset',
  silent: 'stall',
} as const;

function effectOfFault(fault: Fault | undefined): FaultEffect {
  if (!fault || fault.kind === 'damaged' || fault.kind === 'slow') return { works: true, response: 'result' };
  if (fault.kind === 'session-ends') return effectOf(fault.status === 'expired' ? 'expire' : 'cancel');
  // A proxy can return something else without passing the request on.
  if (fault.kind === 'strange') return { ...effectOf('alter'), works: fault.arrives };
  return effectOf(faultNames[fault.kind], 'arrives' in fault && fault.arrives);
}

function resultOf<T>(run: () => T, trace: (line: string) => void, name: string): T {
  try {
    return run();
  } catch (error) {
    trace(`${name} was rejected: ${(error as Error).message}`);
    throw error;
  }
}

/** Loses the response, whether the work was done or not. */
function attempted(run: () => unknown): void {
  try {
    run();
  } catch {
    // A rejection of it is lost too.
  }
}

/** Whether the service can have done the work before it returned the error. */
function isUnclear({ status, retryAfterMs }: { readonly status: number; readonly retryAfterMs?: number }): boolean {
  return status === 408 || status === 409 || (status >= 500 && !(status === 503 && retryAfterMs !== undefined));
}

function describeFault(fault: Fault): string {
  if (fault.kind === 'slow') return `${fault.ms} ms slower`;
  if (fault.kind === 'session-ends') return `the session is ${fault.status} first`;
  if (fault.kind === 'status') {
    const code = fault.apiCode ? ` ${fault.apiCode}` : '';
    const pause = fault.retryAfterMs ? ` with a pause of ${fault.retryAfterMs} ms` : '';
    return `the service returns ${fault.status}${code}${pause}${fault.arrives ? ' after the work' : ''}`;
  }
  const texts = {
    lost: 'its response is lost',
    unreachable: 'the service is unreachable',
    silent: 'no response',
    strange: 'a response of something else',
    damaged: 'its bytes are damaged',
  } as const;
  return texts[fault.kind] + ('arrives' in fault && fault.arrives ? ', but it arrives' : '');
}
