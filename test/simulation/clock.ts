import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { syncBuiltinESMExports } from 'node:module';
import promises from 'node:timers/promises';
import zlib from 'node:zlib';

interface Appointment {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
  /** It changes nothing that another process waits for, at this moment. */
  readonly isQuiet: boolean;
  isCancelled: boolean;
}

export interface VirtualTimer {
  cancel(): void;
}

/** A process of the simulation. Its timers end with it. */
export interface Owner {
  readonly isDead: boolean;
}

/** By the context of the activity that runs: each further storage costs time at every promise of the process. */
const owners = new WeakMap<Context, Owner>();

/** The clock whose time this process has. */
let installed: Pick<VirtualClock, 'sleep'> | undefined;

/** Time that passes only when nothing is left to do at the current moment. */
export class VirtualClock {
  nowMs: number;
  readonly #appointments: Appointment[] = [];
  #order = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  after(delayMs: number, run: () => void | Promise<void>, isQuiet = false): VirtualTimer {
    const appointment = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.#order++,
      run,
      isQuiet,
      isCancelled: false,
    };
    insert(this.#appointments, appointment);
    return {
      cancel: () => {
        appointment.isCancelled = true;
      },
    };
  }

  /** Rejects with the signal's reason if it is aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        timer.cancel();
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const timer = this.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * Advances to the next appointment and keeps it, after at most `quiet` appointments that change nothing.
   * @returns false without an appointment
   */
  async next(quiet = 0): Promise<boolean> {
    for (let kept = 0; kept <= quiet; kept++) {
      let appointment = this.#appointments.pop();
      while (appointment?.isCancelled) appointment = this.#appointments.pop();
      if (!appointment) return kept > 0;
      this.nowMs = Math.max(this.nowMs, appointment.atMs);
      const running = appointment.run();
      if (appointment.isQuiet) continue;
      await running;
      await settled();
      break;
    }
    return true;
  }

  /** Replaces the time and the timers of this process, which the code of the activities uses. @returns restores them */
  install(): () => void {
    const real = {
      now: Date.now,
      monotonic: Reflect.get(performance, 'now'),
      setInterval,
      clearInterval,
      setTimeout,
      clearTimeout,
    };
    replaceModules();
    installed = { sleep: (delayMs, signal) => this.sleep(delayMs, signal) };
    // Each error of a fault would record its stack.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    Date.now = () => this.nowMs;
    performance.now = () => this.nowMs;
    globalThis.setInterval = ((run: () => void, everyMs: number) => this.#repeat(run, everyMs)) as never;
    globalThis.clearInterval = ((timer: VirtualTimer | undefined) => timer?.cancel()) as never;
    globalThis.setTimeout = ((run: () => void, delayMs: number) => this.#once(run, delayMs)) as never;
    globalThis.clearTimeout = ((timer: VirtualTimer | undefined) => timer?.cancel()) as never;
    return () => {
      installed = undefined;
      Error.stackTraceLimit = stackTraceLimit;
      Date.now = real.now;
      performance.now = real.monotonic;
      globalThis.setInterval = real.setInterval;
      globalThis.clearInterval = real.clearInterval;
      globalThis.setTimeout = real.setTimeout;
      globalThis.clearTimeout = real.clearTimeout;
    };
  }

  /** Runs the code of an activity as that of a process. */
  as<T>(owner: Owner, context: Context, run: () => T): T {
    owners.set(context, owner);
    return asyncLocalStorage.run(context, run);
  }

  /** The process whose code runs now. */
  get owner(): Owner | undefined {
    const context = asyncLocalStorage.getStore();
    return context && owners.get(context);
  }

  #once(run: () => void, delayMs: number): VirtualTimer & { unref(): unknown } {
    const { owner } = this;
    const timer = this.after(delayMs, () => {
      if (!owner?.isDead) run();
    });
    return Object.assign(timer, { unref: () => timer });
  }

  /** Of heartbeats, most of which are not sent: days of them must cost nothing. */
  #repeat(run: () => void, everyMs: number): VirtualTimer {
    const { owner } = this;
    const beat = () => {
      if (owner?.isDead) return;
      timer = this.after(everyMs, beat, true);
      run();
    };
    let timer = this.after(everyMs, beat, true);
    return { cancel: () => timer.cancel() };
  }
}

let isReplaced = false;

/** Node.js copies the exports of all its modules after such a change, so it is made once. */
function replaceModules(): void {
  if (isReplaced) return;
  isReplaced = true;
  const { setTimeout: sleep } = promises;
  promises.setTimeout = (async (delayMs: number, value: unknown, options?: { readonly signal?: AbortSignal }) => {
    if (!installed) return sleep(delayMs, value, options);
    await installed.sleep(delayMs, options?.signal);
    return value;
  }) as never;
  // Threads take real time.
  zlib.gzip = atOnce(zlib.gzip as never, zlib.gzipSync) as never;
  zlib.gunzip = atOnce(zlib.gunzip as never, zlib.gunzipSync) as never;
  syncBuiltinESMExports();
}

type Callback = (error: Error | null, result?: Buffer) => void;

/** A function of zlib that calls back before it returns, during a simulation. */
function atOnce(
  real: (input: string | Buffer, ...rest: readonly (object | Callback)[]) => void,
  run: (input: string | Buffer, options: object) => Buffer,
) {
  return (input: string | Buffer, ...rest: readonly (object | Callback)[]) => {
    if (!installed) {
      real(input, ...rest);
      return;
    }
    const callback = rest.at(-1) as Callback;
    const options = rest.length > 1 ? (rest[0] as object) : {};
    try {
      callback(null, run(input, options));
    } catch (error) {
      callback(error as Error);
    }
  };
}

/** Lets all promises settle that need no time. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Keeps the list sorted, the next appointment last. Equal times keep their order. */
function insert(appointments: Appointment[], added: Appointment): void {
  let low = 0;
  let high = appointments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = appointments[middle] as Appointment;
    const isLater = other.atMs > added.atMs || (other.atMs === added.atMs && other.order > added.order);
    if (isLater) low = middle + 1;
    else high = middle;
  }
  appointments.splice(low, 0, added);
}
