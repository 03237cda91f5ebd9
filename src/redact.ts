import { Buffer } from 'node:buffer';

const REDACTED = '[redacted]';

/** Names of parameters in a text whose values are secrets. */
const SECRET_PARAMETER = /auth|key|token|secret|cookie|password|passwd|pwd|sig|credential|code|jwt|session/i;
/** Names of headers and parameters of every request whose values are secrets, wherever they appear. */
const SECRET_NAME = /auth|key|token|secret|cookie|password|signature|credential|jwt|^sig$|^code$/i;

/** A value of fewer characters is not searched for: it would remove parts of ordinary words. */
const MIN_CHARACTERS = 4;
/** The same for texts that are not from the service of the key. */
const MIN_CHARACTERS_EVERYWHERE = 8;
/** A part of a Base64 text that is shorter is too likely to be an ordinary word. */
const MIN_BASE64_CHARACTERS = 8;
/** More than one process uses. */
const MAX_REMEMBERED = 256;

/** Replaces every secret in a text from outside: a server can repeat a key in its error message. */
export type Redact = (text: string) => string;

const remembered = new Set<string>();
let rememberedPattern: RegExp | undefined;

/** Makes `redact` replace these secrets in every message and log line of this process. */
export function rememberSecrets(secrets: readonly (string | undefined)[]): void {
  for (const secret of secrets) {
    if (secret === undefined || secret.length < MIN_CHARACTERS_EVERYWHERE || remembered.has(secret)) continue;
    remembered.add(secret);
    const [oldest] = remembered;
    if (remembered.size > MAX_REMEMBERED) remembered.delete(oldest as string);
    rememberedPattern = patternOf([...remembered]);
  }
}

/**
 * Replaces the secrets of this process, and values of URLs and JSON whose names are those of secrets. Every error, log
 * line and note passes through it. Its time is linear in the length of the text.
 */
export const redact: Redact = (text) => {
  const known = rememberedPattern ? text.replace(rememberedPattern, REDACTED) : text;
  return redactNamed(known);
};

/**
 * As `redact`, and also replaces the given secrets, which can be shorter.
 *
 * @param named headers and query of every request, of which those with the name of a secret are redacted
 */
export function createRedact(apiKey: string, ...named: readonly Readonly<Record<string, string>>[]): Redact {
  const secrets = [
    apiKey,
    ...named
      .flatMap((values) => Object.entries(values))
      .flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value] : [])),
  ];
  rememberSecrets(secrets);
  return redactorOf(secrets);
}

/** As `createRedact`, for secrets of one call, which are not remembered. */
export function redactorOf(secrets: readonly string[]): Redact {
  const pattern = patternOf(secrets.filter((secret) => secret.length >= MIN_CHARACTERS));
  return (text) => redact(pattern ? text.replace(pattern, REDACTED) : text);
}

/** Longer forms first, so that a secret that is a part of another does not leave the rest of it. */
function patternOf(secrets: readonly string[]): RegExp | undefined {
  const forms = secrets
    .toSorted((a, b) => b.length - a.length)
    .flatMap((secret) => [encoded(secret), ...base64(secret)]);
  return forms.length === 0 ? undefined : new RegExp(forms.join('|'), 'gu');
}

/** The text itself, and with any of its characters percent-encoded once or twice, or escaped as in JSON. */
function encoded(secret: string): string {
  return Array.from(secret, (character) => {
    const bytes = Array.from(Buffer.from(character), hex);
    const forms = [literal(character), bytes.map((byte) => `%(?:25)?${byte}`).join('')];
    if (character === ' ') forms.push('\\+');
    if (character === '"' || character === '\\') forms.push(`\\\\${literal(character)}`);
    return `(?:${forms.join('|')})`;
  }).join('');
}

/**
 * The characters of Base64 and Base64url that depend on nothing but the secret, for each of the three positions that it
 * can have in the encoded text (`user:KEY` of Basic authentication, for example), and up to three around them.
 */
function base64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const own = text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    if (own.length < MIN_BASE64_CHARACTERS) return [];
    const characters = Array.from(own, (character) => {
      if (character === '+') return '(?:[+-]|%2[bB])';
      return character === '/' ? '(?:[/_]|%2[fF])' : character;
    });
    return [`[\\w+/-]{0,3}${characters.join('')}[\\w+/-]{0,3}(?:=|%3[dD]){0,2}`];
  });
}

function hex(byte: number): string {
  const digits = byte.toString(16).padStart(2, '0');
  return Array.from(digits, (digit) => (/[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit)).join('');
}

function literal(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

const PARAMETER = /([?&;#])([^\s?&;#="'<>`]{1,80})=([^\s&;"'<>`\\)\]]+)/g;
/** The same in a URL that is a parameter of another URL. */
const ENCODED_PARAMETER = /(%(?:25)?(?:3f|26|23))([\w.-]{1,80})(%(?:25)?3d)((?:(?!%(?:25)?26)[^\s&;"'<>`\\)\]])+)/gi;
const USER = /(\w:\/\/)[^\s/@?#"'<>]{1,500}@/g;
const JSON_FIELD =
  /(\\?"[\w.-]{0,40}(?:sig|signature|token|credentials?|secret|password|authorization|access_?key(?:_?id)?)\\?"\s{0,9}:\s{0,9}\\?")([^"\\]{1,4000})/gi;
const XML_FIELD = /(<(?:AWSAccessKeyId|Signature|SignatureProvided|Token|Credential|SecurityToken)>)([^<]{1,4000})/gi;
const HEADER = /\b(bearer|basic)(\s{1,3})(?=[\w.~+/-]{0,60}\d)[\w.~+/-]{16,4000}={0,2}/gi;

/** Values that are secrets by their names: of a query or fragment, of JSON and XML, a user in a URL, and a login. */
function redactNamed(text: string): string {
  return text
    .replace(PARAMETER, (whole, separator: string, name: string) =>
      isSecretName(name) ? `${separator}${name}=${REDACTED}` : whole,
    )
    .replace(ENCODED_PARAMETER, (whole, separator: string, name: string, equals: string) =>
      isSecretName(name) ? `${separator}${name}${equals}${REDACTED}` : whole,
    )
    .replace(USER, `$1${REDACTED}@`)
    .replace(JSON_FIELD, `$1${REDACTED}`)
    .replace(XML_FIELD, `$1${REDACTED}`)
    .replace(HEADER, `$1$2${REDACTED}`);
}

/** Whether a value with this name counts as a secret. The name can be percent-encoded, too. */
export function isSecretName(name: string): boolean {
  const plain = name.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  return SECRET_PARAMETER.test(plain);
}

/** Old keys that are still redacted: a service can repeat a key in a late response. */
const MOST_KEYS = 16;

/** The secrets of a destination, whose key can change: texts lose the present key and the previous ones. */
export class SecretTexts {
  readonly #named: readonly Readonly<Record<string, string>>[];
  readonly #ofKey = new Map<string, Redact>();

  /** @param named as for `createRedact` */
  constructor(...named: readonly Readonly<Record<string, string>>[]) {
    this.#named = named;
  }

  addKey(key: string): void {
    if (this.#ofKey.has(key)) return;
    this.#ofKey.set(key, createRedact(key, ...this.#named));
    const [oldest = ''] = this.#ofKey.keys();
    if (this.#ofKey.size > MOST_KEYS) this.#ofKey.delete(oldest);
  }

  readonly redact: Redact = (text) =>
    [...this.#ofKey.values()].reduce((redacted, redactKey) => redactKey(redacted), text);
}
