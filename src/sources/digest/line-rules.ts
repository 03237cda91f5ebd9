import { asciiHash } from './text-hash.ts';

/** Slots by key. */
export type Keys = ReadonlyMap<string, number>;
export type ValueKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/**
 * Rules about the values of a line. A slot is a number for a value that the rules name. If an object has a key twice, the
 * last value counts, as for `JSON.parse`.
 */
export interface LineRules {
  /** Slot of the value of a line. */
  readonly top: number;
  /** Slot of a text that differs in each line; 0: none. */
  readonly unique: number;
  /** A line starts. */
  start(): void;
  /** Slots of the values of an object, by key; undefined: none. */
  keys(slot: number): Keys | undefined;
  /** Slot of the items of an array; 0: none. */
  slotOfItem(slot: number): number;
  /** Whether `value` needs the hash of a string. */
  isRead(slot: number): boolean;
  /** A value; for an object or an array, its start. The numbers are the hash of a string; 0: not needed. */
  value(slot: number, kind: ValueKind, hash1: number, hash2: number): void;
  /** The end of an object or an array. */
  end(slot: number): void;
  /** The problem of a line that is valid JSON; undefined for a valid line. */
  verdict(): string | undefined;
}

const TOP = 1;

function keysOf(slots: Readonly<Record<number, Readonly<Record<string, number>>>>): ReadonlyMap<number, Keys> {
  return new Map(Object.entries(slots).map(([slot, keys]) => [Number(slot), new Map(Object.entries(keys))]));
}

const NOT_AN_OBJECT = 'is not a JSON object';

/** A line is an object. */
export class ObjectRules implements LineRules {
  readonly top = TOP;
  readonly unique = 0;
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

  keys = () => undefined;
  slotOfItem = () => 0;
  isRead = () => false;
  end(): void {}
}

const [CUSTOM_ID, METHOD, URL, BODY, MODEL] = [2, 3, 4, 5, 6];
const batchKeys = keysOf({
  [TOP]: { custom_id: CUSTOM_ID, method: METHOD, url: URL, body: BODY },
  [BODY]: { model: MODEL },
});

/** Receives the values of valid lines of a batch that are compared between lines. */
export interface BatchLine {
  readonly customId: readonly [number, number];
  readonly url: readonly [number, number];
  /** Undefined if the body has no model. */
  readonly model: readonly [number, number] | undefined;
}

/** A line is a request of a batch. */
export class BatchRules implements LineRules {
  readonly top = TOP;
  readonly unique = CUSTOM_ID;
  #kinds: (ValueKind | undefined)[] = [];
  #hashes: (readonly [number, number])[] = [];
  readonly #compare: (line: BatchLine) => string | undefined;

  /** @param compare returns the problem of a line that only other lines show */
  constructor(compare: (line: BatchLine) => string | undefined) {
    this.#compare = compare;
  }

  start(): void {
    this.#kinds = [];
  }

  keys(slot: number): Keys | undefined {
    return batchKeys.get(slot);
  }

  slotOfItem(): number {
    return 0;
  }

  isRead(slot: number): boolean {
    return slot === CUSTOM_ID || slot === URL || slot === MODEL;
  }

  value(slot: number, kind: ValueKind, hash1: number, hash2: number): void {
    this.#kinds[slot] = kind;
    this.#hashes[slot] = [hash1, hash2];
    if (slot === BODY) this.#kinds[MODEL] = undefined;
  }

  end(): void {}

  verdict(): string | undefined {
    if (this.#kinds[TOP] !== 'object') return NOT_AN_OBJECT;
    for (const [name, slot, kind] of required) {
      const found = this.#kinds[slot];
      if (found === undefined) return `has no "${name}"`;
      if (found !== kind) return `has a "${name}" that is not ${kind === 'object' ? 'an object' : 'a string'}`;
    }
    const model = this.#kinds[MODEL] === 'string' ? this.#hash(MODEL) : undefined;
    return this.#compare({ customId: this.#hash(CUSTOM_ID), url: this.#hash(URL), model });
  }

  #hash(slot: number): readonly [number, number] {
    return this.#hashes[slot] as readonly [number, number];
  }
}

const required = [
  ['custom_id', CUSTOM_ID, 'string'],
  ['method', METHOD, 'string'],
  ['url', URL, 'string'],
  ['body', BODY, 'object'],
] as const;

const [MESSAGES, PREFERRED, NON_PREFERRED, INPUT, INPUT_MESSAGES, MESSAGE, ROLE, CONTENT, CALLS] = [
  2, 3, 4, 5, 6, 7, 8, 9, 10,
];
const [TOOLS, INPUT_TOOLS, TOOL] = [11, 12, 13];

const chatKeys = keysOf({
  [TOP]: {
    messages: MESSAGES,
    tools: TOOLS,
    functions: TOOLS,
    input: INPUT,
    preferred_output: PREFERRED,
    non_preferred_output: NON_PREFERRED,
  },
  [INPUT]: { messages: INPUT_MESSAGES, tools: INPUT_TOOLS },
  [MESSAGE]: { role: ROLE, content: CONTENT, tool_calls: CALLS, function_call: CALLS },
});

const chatItems: Readonly<Record<number, number>> = {
  [MESSAGES]: MESSAGE,
  [PREFERRED]: MESSAGE,
  [NON_PREFERRED]: MESSAGE,
  [INPUT_MESSAGES]: MESSAGE,
  [TOOLS]: TOOL,
  [INPUT_TOOLS]: TOOL,
};

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];
const roleHashes = ROLES.map((role) => asciiHash(role) as readonly [number, number]);
const ASSISTANT = ROLES.indexOf('assistant');

/** Names of the lists of messages and of tools, for their problems. */
const listNames: Readonly<Record<number, string>> = {
  [MESSAGES]: 'messages',
  [PREFERRED]: 'preferred_output',
  [NON_PREFERRED]: 'non_preferred_output',
  [INPUT_MESSAGES]: 'input.messages',
  [TOOLS]: 'tools',
  [INPUT_TOOLS]: 'input.tools',
};

/** A list of messages, or of tools. */
interface List {
  readonly kind: ValueKind;
  count: number;
  problem: string | undefined;
}

/** A line is a chat for fine-tuning: `messages`, or `input` with a preferred and a non-preferred output. */
export class ChatRules implements LineRules {
  readonly top = TOP;
  readonly unique = 0;
  #kind: ValueKind | undefined;
  #input: ValueKind | undefined;
  readonly #lists = new Map<number, List>();
  #list: List | undefined;
  #role = -1;
  #hasRole = false;
  #content: ValueKind | undefined;
  #hasCalls = false;

  start(): void {
    this.#kind = undefined;
    this.#input = undefined;
    this.#lists.clear();
  }

  keys(slot: number): Keys | undefined {
    return chatKeys.get(slot);
  }

  slotOfItem(slot: number): number {
    return chatItems[slot] ?? 0;
  }

  isRead(slot: number): boolean {
    return slot === ROLE;
  }

  value(slot: number, kind: ValueKind, hash1: number, hash2: number): void {
    if (slot === TOP) this.#kind = kind;
    else if (slot === INPUT) {
      this.#input = kind;
      this.#lists.delete(INPUT_MESSAGES);
      this.#lists.delete(INPUT_TOOLS);
    } else if (listNames[slot] !== undefined) {
      this.#list = { kind, count: 0, problem: undefined };
      this.#lists.set(slot, this.#list);
    } else if (slot === MESSAGE || slot === TOOL) this.#startItem(kind);
    else if (slot === ROLE) {
      this.#hasRole = true;
      this.#role = kind === 'string' ? roleHashes.findIndex(([one, two]) => one === hash1 && two === hash2) : -1;
    } else if (slot === CONTENT) this.#content = kind;
    else if (slot === CALLS) this.#hasCalls = kind === 'array' || kind === 'object';
  }

  end(slot: number): void {
    if (slot !== MESSAGE || !this.#list) return;
    this.#list.problem ??= this.#messageProblem(this.#list.count);
  }

  verdict(): string | undefined {
    if (this.#kind !== 'object') return NOT_AN_OBJECT;
    const hasPreference = this.#input !== undefined || this.#lists.has(PREFERRED) || this.#lists.has(NON_PREFERRED);
    if (this.#lists.has(MESSAGES) || !hasPreference) {
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

  #startItem(kind: ValueKind): void {
    if (!this.#list) return;
    this.#list.count++;
    [this.#role, this.#hasRole, this.#content, this.#hasCalls] = [-1, false, undefined, false];
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
    const list = this.#lists.get(slot);
    const name = listNames[slot] as string;
    if (!list) return `has no "${name}"`;
    if (list.kind !== 'array') return `has "${name}" that is not a list`;
    if (list.count === 0) return `has an empty list "${name}"`;
    return list.problem && `has an invalid "${name}"${list.problem}`;
  }

  /** Tools are optional. */
  #toolsProblem(slot: number): string | undefined {
    const list = this.#lists.get(slot);
    if (!list || list.kind === 'null' || (list.kind === 'array' && list.problem === undefined)) return undefined;
    const name = listNames[slot] as string;
    return list.kind === 'array' ? `has an invalid "${name}"${list.problem}` : `has "${name}" that is not a list`;
  }
}
