import { setTimeout } from 'node:timers/promises';
import { AutoConcurrency, type ConcurrencyBounds } from '../core/pace/adaptive-concurrency.ts';
import { ByteRate, mostPartsUnder } from '../core/pace/rate.ts';
import type { Pace } from '../destinations/http/multipart-part.ts';
import type { Gate } from '../destinations/port.ts';
import { DefaultProfile, type DestinationProfile } from '../destinations/profile.ts';
import { requestTurns, type RequestRateOptions } from './request-rate.ts';
import { TransferSlots } from './slots.ts';
import { PartWindow } from './window.ts';

export interface GatesOptions {
  /** Maximum parts at the same time. @defaultValue adapts to each destination */
  readonly slots?: number | undefined;
  /** Bytes per second of all parts together. @defaultValue no rate */
  readonly limitBytesPerSecond?: number | undefined;
  /** The workers that share the rates of requests. @defaultValue requests have no rate */
  readonly requestRate?: RequestRateOptions | undefined;
}

/** The gates of a worker, one for each destination, and the slots that follow their windows. */
export class Gates {
  /** Shared by all destinations: an activity can send many small files in one slot. */
  readonly #fixedWindow: PartWindow | undefined;
  readonly #bounds: ConcurrencyBounds;
  readonly #pace: Pace;
  readonly #requestRate: RequestRateOptions | undefined;
  readonly #windows: PartWindow[] = [];
  readonly #slots: TransferSlots[] = [];

  constructor({ slots, limitBytesPerSecond, requestRate }: GatesOptions) {
    const most = limitBytesPerSecond === undefined ? Infinity : mostPartsUnder(limitBytesPerSecond);
    const { floor, start, ceiling } =
      slots === undefined ? AutoConcurrency : { floor: 1, start: slots, ceiling: slots };
    this.#bounds = { floor, start: Math.min(start, most), ceiling: Math.min(ceiling, most) };
    this.#pace = paceOf(new ByteRate(limitBytesPerSecond));
    this.#requestRate = requestRate;
    if (slots === undefined) return;
    const count = this.#bounds.start;
    this.#fixedWindow = new PartWindow({ floor: count, start: count, ceiling: count }, () => {});
  }

  readonly gateOf = (profile: DestinationProfile): Gate => {
    const window = this.createWindow();
    return {
      ...requestGate(this.#requestRate, profile),
      enterPart: (signal) => window.enter(signal),
      bytes: this.#pace,
    };
  };

  /** For one destination. */
  createWindow(): PartWindow {
    if (this.#fixedWindow) return this.#fixedWindow;
    const window = new PartWindow(this.#bounds, () => {
      for (const slots of this.#slots) slots.grant();
    });
    this.#windows.push(window);
    return window;
  }

  /** For one task queue. */
  createSlots(): TransferSlots {
    const slots = new TransferSlots(() => this.#fixedWindow?.size ?? this.#sizeInUse);
    this.#slots.push(slots);
    return slots;
  }

  /**
   * The destination of a task is not known when its slot is reserved. Therefore, the slots are the sum of the windows in
   * use, and a part with a slot can wait for its window.
   */
  get #sizeInUse(): number {
    const inUse = this.#windows.filter(({ isInUse }) => isInUse);
    return inUse.length === 0 ? this.#bounds.start : inUse.reduce((sum, { size }) => sum + size, 0);
  }
}

/** A gate with the rate of requests only: parts are sent immediately. */
export function requestGate(requestRate: RequestRateOptions | undefined, profile: DestinationProfile): Gate {
  const perMinute = profile.filesRequestsPerMinute ?? DefaultProfile.filesRequestsPerMinute;
  const turns = requestRate && perMinute > 0 ? requestTurns(requestRate, profile.name, perMinute) : undefined;
  return {
    enterPart: async () => ({ moved: () => {}, finished: () => {} }),
    enterRequest: async (signal) => turns?.take(signal),
    bytes: () => undefined,
  };
}

/** Waits until a rate permits the bytes. */
export function paceOf(rate: ByteRate): Pace {
  return (bytes) => {
    const waitMs = rate.take(bytes, performance.now());
    return waitMs > 0 ? setTimeout(waitMs, undefined, { ref: false }) : undefined;
  };
}
