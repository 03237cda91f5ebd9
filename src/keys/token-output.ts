import { isKey } from './key-provider.ts';
import { parseJson } from '../core/text/parse.ts';

export interface Token {
  readonly token: string;
  /** Unix milliseconds; undefined if the command did not print it. */
  readonly expiresAtMs: number | undefined;
}

type Output = Readonly<Record<string, unknown>>;

const TOKEN_NAMES = ['accessToken', 'access_token', 'token'] as const;

/**
 * Reads the output of a command: the token alone, or a JSON object with `accessToken` or `access_token`, and its expiry in
 * `expires_on` (Unix seconds), `expires_in` (seconds) or `expiresOn` (a time, local if it has no zone, as `az` prints it).
 *
 * @returns the token, or what is wrong with the output; never a part of the output
 */
export function parseTokenOutput(output: string, nowMs: number): Token | { readonly problem: string } {
  const text = output.trim();
  if (text === '') return { problem: 'printed nothing' };
  const parsed = (text.startsWith('{') ? parseJson(text) : { token: text }) as Output | undefined;
  if (!parsed) return { problem: 'printed an object that is not JSON' };
  const token = TOKEN_NAMES.map((name) => parsed[name]).find((value) => typeof value === 'string' && value !== '');
  if (typeof token !== 'string') return { problem: `printed JSON without ${TOKEN_NAMES.slice(0, 2).join(' or ')}` };
  // A JSON text or list, as `az --query accessToken` prints it.
  if (!isKey(token) || /["[\]]/.test(token)) return { problem: 'printed a token with characters that no token has' };
  const expiresAtMs = expiryOf(parsed, nowMs);
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs)
    return { problem: 'printed a token that has expired by the clock of this machine' };
  return { token, expiresAtMs };
}

/** A value that is not a time is ignored: the time to live then applies. */
function expiryOf(
  { expires_on: seconds, expires_in: left, expiresOn: time }: Output,
  nowMs: number,
): number | undefined {
  const atSeconds = numberOf(seconds) ?? numberOf(time);
  const leftSeconds = numberOf(left);
  const found =
    atSeconds !== undefined
      ? atSeconds * 1000
      : leftSeconds !== undefined
        ? nowMs + leftSeconds * 1000
        : Date.parse(typeof time === 'string' ? time.replace(' ', 'T') : '');
  return Number.isFinite(found) ? found : undefined;
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}
