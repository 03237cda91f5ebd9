import { ConfigError } from '../errors.ts';
import type { KeyProvider } from './key-provider.ts';
import { runKeyCommand, type KeyCommandOutcome } from './run-key-command.ts';
import { parseTokenOutput } from './token-output.ts';

export interface KeyCommandSettings {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Maximum time for which a token is used. @defaultValue until it expires, or five minutes if the command does not print that */
  readonly ttlMs?: number | undefined;
  readonly timeoutMs: number;
  /** All variables that the command gets. */
  readonly environment: Readonly<Record<string, string>>;
  /** More texts that must not be in a message, such as the password of a proxy. */
  readonly secrets?: readonly string[];
}

const USUAL_TTL_MS = 5 * 60_000;
/** A token is renewed this long before it expires, or when a fifth of its time is left, if that is less. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** A service that rejects every token must not start a command per call. */
const LEAST_RERUN_MS = 10_000;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60_000;
const STDERR_CHARACTERS = 300;

interface Held {
  readonly token: string;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

/** A token that a command prints. Calls at the same time share one run. */
export class KeyCommand implements KeyProvider {
  readonly #settings: KeyCommandSettings;
  readonly #label: string;
  readonly #run: typeof runKeyCommand;
  #held: Held | undefined;
  #running: Promise<string> | undefined;
  // Not by the clock, which can be set back by hours: a rejected token would be used until then.
  #ranAtMs = Number.NEGATIVE_INFINITY;
  #failure: { readonly error: ConfigError; readonly untilMs: number; readonly pauseMs: number } | undefined;

  /**
   * @param label names the command in messages
   * @param run for tests
   */
  constructor(settings: KeyCommandSettings, label: string, run = runKeyCommand) {
    this.#settings = settings;
    this.#label = label;
    this.#run = run;
  }

  get last(): string | undefined {
    return this.#held?.token;
  }

  current(): string | Promise<string> {
    const nowMs = Date.now();
    const held = this.#held;
    if (held && nowMs < held.renewAtMs) return held.token;
    if (held && nowMs < held.expiresAtMs) {
      // The old token is good for calls that are made until the new one is there.
      if (!this.#isPaused) this.#start().catch(() => {});
      return held.token;
    }
    if (this.#failure && this.#isPaused) return Promise.reject(this.#failure.error);
    return this.#start();
  }

  async renewed(rejected: string): Promise<string | undefined> {
    if (this.#held?.token === rejected && performance.now() - this.#ranAtMs >= LEAST_RERUN_MS) {
      await this.#start().catch(() => {});
    } else {
      await this.#running?.catch(() => {});
    }
    const token = this.#held?.token;
    return token === rejected ? undefined : token;
  }

  get #isPaused(): boolean {
    return this.#failure !== undefined && performance.now() < this.#failure.untilMs;
  }

  #start(): Promise<string> {
    this.#running ??= this.#renew().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #renew(): Promise<string> {
    const outcome = await this.#run(this.#settings);
    const nowMs = Date.now();
    this.#ranAtMs = performance.now();
    const parsed = 'stdout' in outcome ? parseTokenOutput(outcome.stdout, nowMs) : undefined;
    if (!parsed || 'problem' in parsed) {
      const error = this.#error(parsed?.problem, outcome);
      const pauseMs = Math.min((this.#failure?.pauseMs ?? FIRST_PAUSE_MS / 2) * 2, LONGEST_PAUSE_MS);
      this.#failure = { error, pauseMs, untilMs: this.#ranAtMs + pauseMs };
      throw error;
    }
    this.#failure = undefined;
    const { ttlMs = parsed.expiresAtMs === undefined ? USUAL_TTL_MS : Number.POSITIVE_INFINITY } = this.#settings;
    const expiresAtMs = Math.min(parsed.expiresAtMs ?? Number.POSITIVE_INFINITY, nowMs + ttlMs);
    const renewAtMs = expiresAtMs - Math.min(RENEW_BEFORE_MS, (expiresAtMs - nowMs) / 5);
    this.#held = { token: parsed.token, renewAtMs, expiresAtMs };
    return parsed.token;
  }

  #error(problem: string | undefined, outcome: KeyCommandOutcome): ConfigError {
    const [what, stderr] = 'failure' in outcome ? [outcome.failure, outcome.stderr] : [problem ?? '', ''];
    const said = this.#clean(stderr);
    const fix = 'Run the command in a terminal as the same user, and correct it or log in';
    return new ConfigError(`${this.#label} ${what}${said ? `: ${said}` : ''}. ${fix}.`);
  }

  /** The last part of the text in one line, without anything that can be a secret. */
  #clean(stderr: string): string {
    const secrets = [...(this.#settings.secrets ?? []), ...(this.#held ? [this.#held.token] : [])];
    const line = secrets
      .reduce((text, secret) => text.replaceAll(secret, '[redacted]'), stderr)
      // Tokens and keys are longer than any word, path segment or correlation ID, or start in their own way.
      .replace(/([\w+=~-]{40,}|\beyJ[\w-]{10,}|\bsk-[\w-]{10,})(\.[\w+=~-]+)*/g, '[redacted]')
      .replace(/\/\/[^\s/@]+@/g, '//[redacted]@')
      .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
      .trim()
      .replace(/\.$/, '');
    return line.length > STDERR_CHARACTERS ? `…${line.slice(-STDERR_CHARACTERS)}` : line;
  }
}
