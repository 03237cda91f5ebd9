import type { NativeConnection } from '@temporalio/worker';
import { lackingAttributes, type RegisteredAttribute } from '../core/show/attribute-registry.ts';

const CALL_TIMEOUT_MS = 5000;

/** An operator can register them in the meantime. */
const ASK_AGAIN_AFTER_MS = 60_000;
/** An operator can remove them, and a server can be restarted with another database. Uploads that set them would be stopped. */
const CONFIRM_AFTER_MS = 10_000;

/** New attributes reach all servers of a cluster within this time. A workflow that sets them earlier would be stopped. */
const SETTLE_MS = 60_000;

/** The calls to Temporal that this needs, of any kind of connection. */
type Connection = Pick<NativeConnection, 'withDeadline' | 'operatorService'>;

/**
 * Whether a namespace has all search attributes of Longhaul. The first activity of each workflow returns it, so that it is
 * in history, and does not depend on the program that started the workflow. It never fails: without attributes, uploads
 * only do not appear in lists with their state.
 */
export class NamespaceAttributes {
  readonly #connection: Connection;
  readonly #namespace: string;
  #answer: Promise<boolean> | undefined;
  #askedAtMs = 0;
  #wereMissing = false;
  #foundAtMs: number | undefined;

  constructor(connection: Connection, namespace: string) {
    this.#connection = connection;
    this.#namespace = namespace;
  }

  /** Asks Temporal once, and again after some time. */
  readonly areKnown = async (): Promise<boolean> => {
    const known = await (this.#answer ??= this.#ask());
    if (performance.now() - this.#askedAtMs > (known ? CONFIRM_AFTER_MS : ASK_AGAIN_AFTER_MS)) {
      this.#answer = this.#ask(known);
      return this.#answer;
    }
    return known;
  };

  /** Registers missing attributes, if Temporal permits it. @returns names that are still missing, or have another type */
  async register(): Promise<readonly string[]> {
    try {
      const { missing, conflicts } = await this.#lacking();
      if (conflicts.length > 0) return [...missing, ...conflicts].map(({ name }) => name);
      if (missing.length > 0 && !(await this.#add(missing))) return missing.map(({ name }) => name);
    } catch {
      // Not every worker may ask.
    }
    return [];
  }

  async #add(missing: readonly RegisteredAttribute[]): Promise<boolean> {
    this.#wereMissing = true;
    const searchAttributes = Object.fromEntries(missing.map(({ name, code }) => [name, code]));
    try {
      await this.#call(() =>
        this.#connection.operatorService.addSearchAttributes({ namespace: this.#namespace, searchAttributes }),
      );
      return true;
    } catch {
      // Another worker can have registered them at the same time.
      return (await this.#lacking()).missing.length === 0;
    }
  }

  /** @param wereKnown the last answer, which an error does not change */
  async #ask(wereKnown = false): Promise<boolean> {
    this.#askedAtMs = performance.now();
    try {
      const { missing, conflicts } = await this.#lacking();
      this.#wereMissing ||= missing.length > 0;
      if (missing.length > 0 || conflicts.length > 0) {
        this.#foundAtMs = undefined;
        // Running uploads set them, and make no progress without them.
        if (wereKnown && conflicts.length === 0) await this.#add(missing);
        return false;
      }
      this.#foundAtMs ??= performance.now();
      return !this.#wereMissing || performance.now() - this.#foundAtMs >= SETTLE_MS;
    } catch {
      return wereKnown;
    }
  }

  async #lacking(): Promise<ReturnType<typeof lackingAttributes>> {
    const { customAttributes } = await this.#call(() =>
      this.#connection.operatorService.listSearchAttributes({ namespace: this.#namespace }),
    );
    return lackingAttributes(customAttributes);
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    return this.#connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, call);
  }
}
