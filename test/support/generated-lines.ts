import type { LineCheck } from '../../src/contracts/content.ts';

/** Pseudo-random numbers below 1, the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TEXTS = ['', 'user', 'assistant', 'a"b\\c', 'é', '日本語', '😀', '\u2028', '\n\t', 'x'.repeat(300), '\ud83d'];
const BYTES = [0x00, 0x09, 0x0d, 0x20, 0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x39, 0x3a, 0x5b, 0x5c, 0x5d, 0x65, 0x7b, 0x7d];
const MORE_BYTES = [0x61, 0x6e, 0x74, 0x75, 0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff];

/** Generates lines of JSONL files, valid and invalid, without line feeds. */
export class GeneratedLines {
  readonly #next: () => number;
  #last: Uint8Array | undefined;

  constructor(seed: number) {
    this.#next = randomNumbers(seed);
  }

  /** A new line, or one that is similar to the last one, like most lines of real files. */
  line(): Buffer {
    if (!this.#last || this.#chance(0.5)) {
      const line = this.#new();
      this.#last = line;
      return line;
    }
    const isNew = (byte: number) => byte >= 0x31 && byte <= 0x39 && this.#chance(0.5);
    this.#last = this.#last.map((byte) => (isNew(byte) ? 0x31 + Math.floor(this.#next() * 9) : byte));
    let bytes: Buffer = Buffer.from(this.#last);
    for (let mutations = Math.floor(this.#next() * 3); mutations > 0; mutations--) bytes = this.#mutated(bytes);
    return Buffer.from(bytes.filter((byte) => byte !== 0x0a));
  }

  #new(): Buffer {
    let text = JSON.stringify(this.#value());
    if (this.#chance(0.2)) text = text.replaceAll(/[a-z]/g, (letter) => (this.#chance(0.1) ? escaped(letter) : letter));
    if (this.#chance(0.1)) text = text.replaceAll(',', ' ,\t').replaceAll(':', ' : ');
    if (this.#chance(0.05)) text += '\r';
    if (this.#chance(0.02)) text = ' '.repeat(Math.floor(this.#next() * 3));
    let bytes: Buffer = Buffer.from(text);
    for (let mutations = this.#chance(0.5) ? Math.ceil(this.#next() * 3) : 0; mutations > 0; mutations--) {
      bytes = this.#mutated(bytes);
    }
    return Buffer.from(bytes.filter((byte) => byte !== 0x0a));
  }

  #mutated(bytes: Buffer): Buffer {
    const at = Math.floor(this.#next() * (bytes.length + 1));
    const byte = Buffer.from([this.#of(this.#chance(0.5) ? BYTES : MORE_BYTES)]);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const kind = Math.floor(this.#next() * 4);
    if (kind === 0) return Buffer.concat([before, byte, after]);
    if (kind === 1) return Buffer.concat([before, after.subarray(1)]);
    if (kind === 2) return Buffer.concat([before, byte, after.subarray(1)]);
    const from = Math.floor(this.#next() * (bytes.length + 1));
    return Buffer.concat([before, bytes.subarray(from, from + 8), after]);
  }

  #value(): unknown {
    const kind = this.#next();
    if (kind < 0.3) return this.#request();
    if (kind < 0.5) return this.#chat();
    if (kind < 0.6)
      return { input: this.#chat(), preferred_output: this.#messages(), non_preferred_output: this.#messages() };
    return this.#any(3);
  }

  #request(): object {
    const request: Record<string, unknown> = {
      custom_id: this.#chance(0.8) ? `r-${Math.floor(this.#next() * 1e9)}` : this.#of(TEXTS),
      method: 'POST',
      url: this.#of(['/v1/chat/completions', '/v1/embeddings']),
      body: { model: this.#of(['a', 'b']), input: this.#any(2) },
    };
    return this.#changed(request);
  }

  #chat(): object {
    return this.#changed({
      messages: this.#messages(),
      ...(this.#chance(0.2) ? { tools: [{ type: 'function' }] } : {}),
      ...(this.#chance(0.2) ? { functions: [{ name: 'f' }] } : {}),
    });
  }

  #messages(): unknown {
    return Array.from({ length: Math.floor(this.#next() * 4) }, () =>
      this.#changed({
        role: this.#of(['system', 'user', 'assistant', 'tool', 'developer']),
        content: this.#of(TEXTS),
        ...(this.#chance(0.1) ? { tool_calls: [] } : {}),
        ...(this.#chance(0.1) ? { function_call: {} } : {}),
      }),
    );
  }

  /** The object, or one with a value that is removed, replaced or null. */
  #changed(object: Record<string, unknown>): Record<string, unknown> {
    if (this.#chance(0.7)) return object;
    const key = this.#of(Object.keys(object));
    return this.#chance(0.5)
      ? { ...object, [key]: this.#chance(0.3) ? null : this.#any(1) }
      : Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
  }

  #any(depth: number): unknown {
    const kind = Math.floor(this.#next() * (depth > 0 ? 8 : 6));
    if (kind === 0) return null;
    if (kind === 1) return this.#chance(0.5);
    if (kind === 2) return this.#of([0, -0, 1, -12, 1.5, 1e21, -1e-7, 123_456_789]);
    if (kind <= 5) return this.#of(TEXTS);
    const items = Array.from({ length: Math.floor(this.#next() * 4) }, () => this.#any(depth - 1));
    return kind === 6 ? items : Object.fromEntries(items.map((item) => [this.#of(TEXTS), item]));
  }

  #chance(share: number): boolean {
    return this.#next() < share;
  }

  #of<T>(list: readonly T[]): T {
    return list[Math.floor(this.#next() * list.length)] as T;
  }
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whether a line is valid, by `JSON.parse` and the schema of the check. */
export function isValidLine(line: Buffer, check: LineCheck): boolean {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(line));
  } catch {
    return false;
  }
  if (!isObject(value)) return false;
  if (check === 'batch') {
    const isText = ['custom_id', 'method', 'url'].every((name) => typeof value[name] === 'string');
    return isText && isObject(value['body']);
  }
  if (check === 'jsonl') return true;
  const hasPreference = ['input', 'preferred_output', 'non_preferred_output'].some((name) =>
    Object.hasOwn(value, name),
  );
  if (Object.hasOwn(value, 'messages') || !hasPreference) {
    return areMessages(value['messages']) && areTools(value['tools']) && areTools(value['functions']);
  }
  const { input, preferred_output: preferred, non_preferred_output: nonPreferred } = value;
  if (!isObject(input) || !areMessages(input['messages']) || !areTools(input['tools'])) return false;
  return areMessages(preferred) && areMessages(nonPreferred);
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];

function areMessages(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isMessage);
}

function isMessage(value: unknown): boolean {
  if (!isObject(value) || !ROLES.includes(value['role'] as string)) return false;
  const { role, content, tool_calls: calls, function_call: call } = value;
  if (typeof content === 'string' || Array.isArray(content)) return true;
  const hasCalls = [calls, call].some((one) => typeof one === 'object' && one !== null);
  return role === 'assistant' && hasCalls && (content === undefined || content === null);
}

function areTools(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.every(isObject));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
