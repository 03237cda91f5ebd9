import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Reply } from './api-context.ts';
import { faultKinds } from './fault-effect.ts';
import { apiRoutes, type ApiRoute } from './router.ts';

const routesWithUpload: readonly string[] = ['part', 'complete', 'cancel', '*'];

export const faultSpecSchema = z
  .strictObject({
    /** The route of the fault; `*`: all routes except those of the admin. */
    route: z.enum(['*', ...apiRoutes]),
    /**
     * `status`: that status, without doing the work. `reset`: the connection is reset, without doing the work.
     * `lost-answer`: the work is done, then the connection is closed. `stall`: the server reads and sends nothing more until
     * the client disconnects. `expire`: the Upload expires, then the request is handled. `cancel`: another client
     * cancels the Upload, then the request is handled. `alter`: the work is done, and its response is changed.
     */
    kind: z.enum(faultKinds),
    /** For `status` and `stall`: the work is done first, so that only its response is lost. Default false. */
    afterWork: z.boolean().optional(),
    /** Number of requests that fail. Default: 1, or all if there is a probability. */
    count: z.int().positive().optional(),
    /** Number of requests before them that succeed. Default 0. */
    skip: z.int().min(0).optional(),
    /** Only requests with a larger body fail, as at a gateway with a limit. Default 0. */
    overBytes: z.int().min(0).optional(),
    /** Probability that a request fails. Default 1. */
    probability: z.number().gt(0).max(1).optional(),
    /** Seed of the probability, so that a run can be repeated. Default 1. */
    seed: z.int().optional(),
    /** For `status`, by default 503, and for `alter`. */
    status: z.int().min(200).max(599).optional(),
    /** For `status`: the header `retry-after`. */
    retryAfterSeconds: z.number().min(0).optional(),
    /** For `status`: `error.code`. */
    code: z.string().optional(),
    /**
     * For `status`, `reset` and `stall`: raw body bytes that are read before the fault. Default: the whole body for
     * `status`, 0 for the others. With 0, a status is sent before the body is read.
     */
    afterBytes: z.int().min(0).optional(),
    /** For `status`: the whole body instead of an error in the format of the service. */
    body: z.unknown().optional(),
    /** For `status` and `alter`: more headers, such as a `retry-after` of any form. */
    headers: z.record(z.string(), z.string()).optional(),
    /** For `status` and `alter`: a body that is not JSON, such as an error page. */
    text: z.string().optional(),
    /** How often `text` is repeated. Default 1. */
    textRepeat: z.int().min(0).max(10_000_000).optional(),
    /** For `alter`: values by JSON Pointer, such as `{"/file/bytes": null}`; `/data/-` appends to a list. */
    set: z.record(z.string(), z.unknown()).optional(),
    /** For `alter`: JSON Pointers of properties that are missing. */
    remove: z.array(z.string()).optional(),
  })
  .refine(({ kind, afterWork }) => afterWork !== true || kind === 'status' || kind === 'stall', {
    path: ['afterWork'],
    message: "is only for the kinds 'status' and 'stall'",
  })
  .refine(({ kind, route }) => (kind !== 'expire' && kind !== 'cancel') || routesWithUpload.includes(route), {
    path: ['route'],
    message:
      "must be 'part', 'complete', 'cancel' or '*' for the kinds 'expire' and 'cancel': other routes have no Upload",
  });

/** A fault to add; see `faultSpecSchema` for the meaning and default of each property. */
export type FaultSpec = z.input<typeof faultSpecSchema>;

/** An active fault. */
export type Fault = FaultSpec & {
  readonly id: string;
  /** Number of requests that failed. */
  readonly fired: number;
};

interface ActiveFault {
  readonly id: string;
  readonly spec: FaultSpec;
  readonly random: () => number;
  skipped: number;
  fired: number;
}

/** The active faults, oldest first. */
export class Faults {
  #active: ActiveFault[] = [];

  /** @throws ZodError for an invalid specification */
  add(spec: FaultSpec): Fault {
    const valid = faultSpecSchema.parse(spec);
    const active = { id: randomUUID(), spec: valid, random: seededRandom(valid.seed ?? 1), skipped: 0, fired: 0 };
    this.#active.push(active);
    return describe(active);
  }

  list(): Fault[] {
    return this.#active.map(describe);
  }

  clear(): void {
    this.#active = [];
  }

  /** The first fault that applies to this request by its route, count and probability. */
  strike(route: ApiRoute, bodyBytes = 0): FaultSpec | undefined {
    for (const active of this.#active) {
      const { spec } = active;
      if (spec.route !== '*' && spec.route !== route) continue;
      if (spec.overBytes !== undefined && bodyBytes <= spec.overBytes) continue;
      const count = spec.count ?? (spec.probability === undefined ? 1 : Infinity);
      if (active.fired >= count) continue;
      if (active.skipped < (spec.skip ?? 0)) {
        active.skipped += 1;
        continue;
      }
      if (spec.probability !== undefined && active.random() >= spec.probability) continue;
      active.fired += 1;
      return spec;
    }
    return undefined;
  }
}

function describe(active: ActiveFault): Fault {
  return { id: active.id, ...active.spec, fired: active.fired };
}

/** How a reply differs from the correct one. */
type Alteration = Pick<FaultSpec, 'status' | 'headers' | 'set' | 'remove' | 'text' | 'textRepeat'>;

/** Changes single properties of a reply of JSON, or replaces its body, status and headers. */
export function alteredReply(reply: Reply, { status, headers, set, remove, text, textRepeat }: Alteration): Reply {
  const altered = { ...reply, status: status ?? reply.status, headers: { ...reply.headers, ...headers } };
  if (text !== undefined) {
    // Content has headers of its length, which are not those of the text.
    const headersOfText = reply.stream === undefined ? altered.headers : headers;
    return { status: altered.status, headers: headersOfText, text: text.repeat(textRepeat ?? 1) };
  }
  if (reply.json === undefined) return altered;
  const json: unknown = structuredClone(reply.json);
  for (const pointer of remove ?? []) change(json, pointer, undefined);
  for (const [pointer, value] of Object.entries(set ?? {})) change(json, pointer, value);
  return { ...altered, json };
}

/** @param pointer a JSON Pointer such as `/data/0/bytes`; `-` appends to a list. A pointer to a missing property is ignored */
function change(json: unknown, pointer: string, value: unknown): void {
  const names = pointer.split('/').slice(1);
  const last = names.pop();
  const holder = names.reduce<unknown>((within, name) => (within as Record<string, unknown> | undefined)?.[name], json);
  if (typeof holder !== 'object' || holder === null || last === undefined) return;
  if (Array.isArray(holder) && last === '-') holder.push(value);
  else if (value === undefined) Reflect.deleteProperty(holder, last);
  else Object.assign(holder, { [last]: value });
}

/** mulberry32: a small seeded generator of numbers in [0, 1), so that a run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
