import { bySlot, Keys, NOT_AN_OBJECT, TOP, type LineRules, type ValueKind } from './line-rules.ts';
import { textHash } from './text-hash.ts';

const [MESSAGES, PREFERRED, NON_PREFERRED, INPUT, INPUT_MESSAGES, MESSAGE, ROLE, CONTENT, CALLS] = [
  2, 3, 4, 5, 6, 7, 8, 9, 10,
];
const [TOOLS, INPUT_TOOLS, TOOL, FUNCTIONS, FUNCTION_CALL] = [11, 12, 13, 14, 15];

const chatKeys = bySlot({
  [TOP]: new Keys({
    messages: MESSAGES,
    tools: TOOLS,
    functions: FUNCTIONS,
    input: INPUT,
    preferred_output: PREFERRED,
    non_preferred_output: NON_PREFERRED,
  }),
  [INPUT]: new Keys({ messages: INPUT_MESSAGES, tools: INPUT_TOOLS }),
  [MESSAGE]: new Keys({ role: ROLE, content: CONTENT, tool_calls: CALLS, function_call: FUNCTION_CALL }),
});

const chatItems = bySlot({
  [MESSAGES]: MESSAGE,
  [PREFERRED]: MESSAGE,
  [NON_PREFERRED]: MESSAGE,
  [INPUT_MESSAGES]: MESSAGE,
  [TOOLS]: TOOL,
  [FUNCTIONS]: TOOL,
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
  [FUNCTIONS]: 'functions',
  [INPUT_TOOLS]: 'input.tools',
});

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
  readonly varying = 0;
  #kind: ValueKind | undefined;
  #input: ValueKind | undefined;
  /** By slot. */
  readonly #lists = listNames.map((name) => (name === undefined ? undefined : new List()));
  #list: List | undefined;
  #role = -1;
  #hasRole = false;
  #content: ValueKind | undefined;
  #hasCalls = false;
  #hasFunctionCall = false;

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
      case FUNCTION_CALL:
        this.#hasFunctionCall = kind === 'array' || kind === 'object';
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

  problem(): string | undefined {
    if (this.#kind !== 'object') return NOT_AN_OBJECT;
    const hasPreference = this.#input !== undefined || this.#has(PREFERRED) || this.#has(NON_PREFERRED);
    if (this.#has(MESSAGES) || !hasPreference) {
      return this.#listProblem(MESSAGES) ?? this.#toolsProblem(TOOLS) ?? this.#toolsProblem(FUNCTIONS);
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
    this.#hasFunctionCall = false;
    if (kind !== 'object') this.#list.problem ??= `: item ${this.#list.count} is not an object`;
  }

  #messageProblem(number: number): string | undefined {
    if (!this.#hasRole) return `: message ${number} has no "role"`;
    if (this.#role === -1) return `: message ${number} has an unknown "role"`;
    const isCall = this.#role === ASSISTANT && (this.#hasCalls || this.#hasFunctionCall);
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
    const { kind, count } = this.#of(slot);
    const isMissing = kind === undefined || kind === 'null' || (kind === 'array' && count === 0);
    return isMissing ? undefined : this.#listProblem(slot);
  }
}
