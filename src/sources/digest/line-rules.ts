import { textHash } from './text-hash.ts';

export type ValueKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** The keys of an object that the rules name. */
export class Keys {
  readonly #names: readonly Buffer[];
  /** Separate, because most keys differ in their length. */
  readonly #lengths: readonly number[];
  readonly #slots: readonly number[];

  constructor(slots: Readonly<Record<string, number>>) {
    this.#names = Object.keys(slots).map((name) => Buffer.from(name));
    this.#lengths = this.#names.map(({ length }) => length);
    this.#slots = Object.values(slots);
  }

  /** @returns the slot of the key from `from` to `to`; 0: none */
  find(bytes: Uint8Array, from: number, to: number): number {
    const lengths = this.#lengths;
    for (let index = 0; index < lengths.length; index++) {
      if (lengths[index] === to - from && isAt(bytes, from, this.#names[index] as Buffer)) {
        return this.#slots[index] as number;
      }
    }
    return 0;
  }
}

function isAt(bytes: Uint8Array, from: number, name: Buffer): boolean {
  for (let index = 0; index < name.length; index++) if (bytes[from + index] !== name[index]) return false;
  return true;
}

/**
 * Rules about the values of a line. A slot is a number for a value that the rules name, and 0 for the others. If an object
 * has a key twice, the last value counts, as for `JSON.parse`.
 */
export interface LineRules {
  /** Slot of the value of a line. */
  readonly top: number;
  /** By slot: the keys of an object. */
  readonly keys: readonly (Keys | undefined)[];
  /** By slot: the slot of the items of an array. */
  readonly items: readonly (number | undefined)[];
  /** By slot: whether `value` needs the hash of a string. */
  readonly hashed: readonly (boolean | undefined)[];
  /** A line starts. */
  start(): void;
  /** A value; for an object or an array, its start. The numbers are the hash of a string; 0: not needed. */
  value(slot: number, kind: ValueKind, hash1: number, hash2: number): void;
  /** The end of an object or an array. */
  end(slot: number): void;
  /** The problem of a line that is valid JSON; undefined for a valid line. */
  verdict(): string | undefined;
}

const TOP = 1;

/** A dense array, which is faster than a map. */
function bySlot<T>(values: Readonly<Record<number, T>>): readonly (T | undefined)[] {
  const slots = Math.max(TOP, ...Object.keys(values).map(Number));
  return Array.from({ length: slots + 1 }, (_, slot) => values[slot]);
}

const NOT_AN_OBJECT = 'is not a JSON object';

/** A line is an object. */
export class ObjectRules implements LineRules {
  readonly top = TOP;
  readonly keys = [];
  readonly items = [];
  readonly hashed = [];
  #isObject = false;

  start(): void {
    this.#isObject = false;
  }

  value(_slot: number, kind: ValueKind): void {
    this.#isObject = kind === 'object';
  }

  verdict(): string | undefined {
    return this.#isObject ? undefined : NOT_AN_OBJECT;
  }

  end(): void {}
}

const [CUSTOM_ID, METHOD, URL, BODY, MODEL] = [2, 3, 4, 5, 6];
const BATCH_SLOTS = 7;
const batchKeys = bySlot({
  [TOP]: new Keys({ custom_id: CUSTOM_ID, method: METHOD, url: URL, body: BODY }),
  [BODY]: new Keys({ model: MODEL }),
});
const batchHashed = bySlot({ [CUSTOM_ID]: true, [URL]: true, [MODEL]: true });

/** The hashes of a valid line of a batch that are compared between lines. It changes with the next line. */
export interface BatchLine {
  /** Hashes of 2 × 32 bits, at the indexes of `HASH_AT`. */
  readonly hashes: Int32Array;
  readonly hasModel: boolean;
}

export const HASH_AT = { customId: 2 * CUSTOM_ID, url: 2 * URL, model: 2 * MODEL } as const;

/** A line is a request of a batch. */
export class BatchRules implements LineRules, BatchLine {
  readonly top = TOP;
  readonly keys = batchKeys;
  readonly items = [];
  readonly hashed = batchHashed;
  readonly hashes = new Int32Array(2 * BATCH_SLOTS);
  readonly #kinds: (ValueKind | undefined)[] = Array.from({ length: BATCH_SLOTS }, () => undefined);
  readonly #compare: (line: BatchLine) => string | undefined;

  /** @param compare returns the problem of a line that only other lines show */
  constructor(compare: (line: BatchLine) => string | undefined) {
    this.#compare = compare;
  }

  get hasModel(): boolean {
    return this.#kinds[MODEL] === 'string';
  }

  start(): void {
    for (let slot = TOP; slot < BATCH_SLOTS; slot++) this.#kinds[slot] = undefined;
  }

  value(slot: number, kind: ValueKind, hash1: number, hash2: number): void {
    this.#kinds[slot] = kind;
    this.hashes[2 * slot] = hash1;
    this.hashes[2 * slot + 1] = hash2;
    if (slot === BODY) this.#kinds[MODEL] = undefined;
  }

  end(): void {}

  verdict(): string | undefined {
    if (this.#kinds[TOP] !== 'object') return NOT_AN_OBJECT;
    for (let index = 0; index < required.length; index++) {
      const { name, slot, kind } = required[index] as Required;
      const found = this.#kinds[slot];
      if (found === undefined) return `has no "${name}"`;
      if (found !== kind) return `has a "${name}" that is not ${kind === 'object' ? 'an object' : 'a string'}`;
    }
    return this.#compare(this);
  }
}

interface Required {
  readonly name: string;
  readonly slot: number;
  readonly kind: ValueKind;
}

const required: readonly Required[] = [
  { name: 'custom_id', slot: CUSTOM_ID, kind: 'string' },
  { name: 'method', slot: METHOD, kind: 'string' },
  { name: 'url', slot: URL, kind: 'string' },
  { name: 'body', slot: BODY, kind: 'object' },
];

const [MESSAGES, PREFERRED, NON_PREFERRED, INPUT, INPUT_MESSAGES, MESSAGE, ROLE, CONTENT, CALLS] = [
  2, 3, 4, 5, 6, 7, 8, 9, 10,
];
const [TOOLS, INPUT_TOOLS, TOOL] = [11, 12, 13];

const chatKeys = bySlot({
  [TOP]: new Keys({
    messages: MESSAGES,
    tools: TOOLS,
    functions: TOOLS,
    input: INPUT,
    preferred_output: PREFERRED,
    non_preferred_output: NON_PREFERRED,
  }),
  [INPUT]: new Keys({ messages: INPUT_MESSAGES, tools: INPUT_TOOLS }),
  [MESSAGE]: new Keys({ role: ROLE, content: CONTENT, tool_calls: CALLS, function_call: CALLS }),
});

const chatItems = bySlot({
  [MESSAGES]: MESSAGE,
  [PREFERRED]: MESSAGE,
  [NON_PREFERRED]: MESSAGE,
  [INPUT_MESSAGES]: MESSAGE,
  [TOOLS]: TOOL,
  [INPUT_TOOLS]: TOOL,
});
const chatHashed = bySlot({ [ROLE]: true });

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];
/** Two numbers for each role. */
const roleHashes = Int32Array.from(ROLES.flatMap((role) => textHash(role)));
const ASSISTANT = ROLES.indexOf('assistant');

/** @returns -1 for an unknown role */
function roleOf(hash1: number, hash2: number): number {
  for (let role = 0; role < ROLES.length; role++) {
    if (roleHashes[2 * role] === hash1 && roleHashes[2 * role + 1] === hash2) return role;
  }
  return -1;
}

/** Names of the lists of messages and of tools, for their problems. */
const listNames = bySlot({
  [MESSAGES]: 'messages',
  [PREFERRED]: 'preferred_output',
  [NON_PREFERRED]: 'non_preferred_output',
  [INPUT_MESSAGES]: 'input.messages',
  [TOOLS]: 'tools',
  [INPUT_TOOLS]: 'input.tools',
});

/** A list of messages, or of tools. */
class List {
  /** Undefined if the line does not have the list. */
  kind: ValueKind | undefined;
  count = 0;
  problem: string | undefined;

  start(kind: ValueKind | undefined): void {
    this.kind = kind;
    this.count = 0;
    this.problem = undefined;
  }
}

/** A line is a chat for fine-tuning: `messages`, or `input` with a preferred and a non-preferred output. */
export class ChatRules implements LineRules {
  readonly top = TOP;
  readonly keys = chatKeys;
  readonly items = chatItems;
  readonly hashed = chatHashed;
  #kind: ValueKind | undefined;
  #input: ValueKind | undefined;
  /** By slot. */
  readonly #lists = listNames.map((name) => (name === undefined ? undefined : new List()));
  #list: List | undefined;
  #role = -1;
  #hasRole = false;
  #content: ValueKind | undefined;
  #hasCalls = false;

  start(): void {
    this.#kind = undefined;
    this.#input = undefined;
    for (const list of this.#lists) list?.start(undefined);
  }

  value(slot: number, kind: ValueKind, hash1: number, hash2: number): void {
    switch (slot) {
      case TOP:
        this.#kind = kind;
        break;
      case INPUT:
        this.#input = kind;
        this.#of(INPUT_MESSAGES).start(undefined);
        this.#of(INPUT_TOOLS).start(undefined);
        break;
      case MESSAGE:
      case TOOL:
        this.#startItem(kind);
        break;
      case ROLE:
        this.#hasRole = true;
        this.#role = kind === 'string' ? roleOf(hash1, hash2) : -1;
        break;
      case CONTENT:
        this.#content = kind;
        break;
      case CALLS:
        this.#hasCalls = kind === 'array' || kind === 'object';
        break;
      default:
        this.#list = this.#of(slot);
        this.#list.start(kind);
    }
  }

  #of(slot: number): List {
    return this.#lists[slot] as List;
  }

  end(slot: number): void {
    if (slot !== MESSAGE || !this.#list) return;
    this.#list.problem ??= this.#messageProblem(this.#list.count);
  }

  verdict(): string | undefined {
    if (this.#kind !== 'object') return NOT_AN_OBJECT;
    const hasPreference = this.#input !== undefined || this.#has(PREFERRED) || this.#has(NON_PREFERRED);
    if (this.#has(MESSAGES) || !hasPreference) {
      return this.#listProblem(MESSAGES) ?? this.#toolsProblem(TOOLS);
    }
    if (this.#input === undefined) return 'has no "input"';
    if (this.#input !== 'object') return 'has an "input" that is not an object';
    return (
      this.#listProblem(INPUT_MESSAGES) ??
      this.#toolsProblem(INPUT_TOOLS) ??
      this.#listProblem(PREFERRED) ??
      this.#listProblem(NON_PREFERRED)
    );
  }

  #has(slot: number): boolean {
    return this.#of(slot).kind !== undefined;
  }

  #startItem(kind: ValueKind): void {
    if (!this.#list) return;
    this.#list.count++;
    this.#role = -1;
    this.#hasRole = false;
    this.#content = undefined;
    this.#hasCalls = false;
    if (kind !== 'object') this.#list.problem ??= `: item ${this.#list.count} is not an object`;
  }

  #messageProblem(number: number): string | undefined {
    if (!this.#hasRole) return `: message ${number} has no "role"`;
    if (this.#role === -1) return `: message ${number} has an unknown "role"`;
    const isCall = this.#role === ASSISTANT && this.#hasCalls;
    if (this.#content === 'string' || this.#content === 'array') return undefined;
    if (isCall && (this.#content === undefined || this.#content === 'null')) return undefined;
    if (this.#content === undefined) return `: message ${number} has no "content"`;
    return `: message ${number} has a "content" that is not a string or a list`;
  }

  #listProblem(slot: number): string | undefined {
    const list = this.#of(slot);
    const name = listNames[slot] as string;
    if (list.kind === undefined) return `has no "${name}"`;
    if (list.kind !== 'array') return `has "${name}" that is not a list`;
    if (list.count === 0) return `has an empty list "${name}"`;
    return list.problem && `has an invalid "${name}"${list.problem}`;
  }

  /** Tools are optional. */
  #toolsProblem(slot: number): string | undefined {
    const list = this.#of(slot);
    if (list.kind === undefined || list.kind === 'null') return undefined;
    if (list.kind === 'array' && list.problem === undefined) return undefined;
    const name = listNames[slot] as string;
    return list.kind === 'array' ? `has an invalid "${name}"${list.problem}` : `has "${name}" that is not a list`;
  }
}
