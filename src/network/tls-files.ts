import tls, { createSecureContext, type SecureContext } from 'node:tls';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../errors.ts';
import { fileIdentity, fileProblem, readSettingsFile, WatchedValue } from './watched-files.ts';

/** Certificates of one destination. Files are PEM, and are read again when they change. */
export interface TlsSettings {
  /** PEM of certificate authorities that are trusted in addition to Node's. */
  readonly ca?: string | undefined;
  /** Path of the same. */
  readonly caFile?: string | undefined;
  /** Certificate that identifies this side. `clientKeyFile` belongs to it. */
  readonly clientCertFile?: string | undefined;
  readonly clientKeyFile?: string | undefined;
}

const FILES = ['caFile', 'clientCertFile', 'clientKeyFile'] as const;
type FileName = (typeof FILES)[number];

/** Contexts for new connections; the same objects until a file changes. */
export interface TlsContexts {
  readonly target: SecureContext;
  /** Without the client certificate, which is not for a proxy. */
  readonly proxy: SecureContext;
}

export interface CurrentTls {
  /** @throws ConfigError if the files cannot be used, and never could be */
  current(): Promise<TlsContexts>;
}

/**
 * Reads the certificates of one destination, at most once per second. A certificate and its key are replaced one after the
 * other: until both are there, the old ones are used.
 */
export class TlsFiles implements CurrentTls {
  readonly #settings: TlsSettings;
  readonly #contexts = new WatchedValue(
    () => this.#identity(),
    () => this.#load(),
  );
  #ofProxy: TlsContexts | undefined;

  constructor(settings: TlsSettings) {
    this.#settings = settings;
  }

  /** Returns undefined if Node's own certificates are to be used. An empty text is not a setting. */
  static of({ ca, caFile, clientCertFile, clientKeyFile }: TlsSettings): TlsFiles | undefined {
    if (!ca && !caFile && !clientCertFile && !clientKeyFile) return undefined;
    return new TlsFiles({ ca, caFile, clientCertFile, clientKeyFile });
  }

  /** @throws ConfigError if the files cannot be used, and never could be */
  async current(): Promise<TlsContexts> {
    return this.#contexts.current();
  }

  /** The same files for connections to a proxy. */
  get forProxy(): CurrentTls {
    return { current: async () => this.#proxyContexts(await this.current()) };
  }

  /** The same object for the same contexts. */
  #proxyContexts({ proxy }: TlsContexts): TlsContexts {
    if (this.#ofProxy?.proxy !== proxy) this.#ofProxy = { proxy, target: proxy };
    return this.#ofProxy;
  }

  async #identity(): Promise<string> {
    const identities = FILES.map((name) => this.#ofFile(name, fileIdentity));
    return (await Promise.all(identities)).join(' ');
  }

  async #load(): Promise<TlsContexts> {
    const [caText, cert, key] = await Promise.all(
      FILES.map((name) => this.#ofFile(name, async (path) => readSettingsFile(path))),
    );
    const own = [this.#settings.ca, caText].filter((pem) => pem);
    for (const pem of own) if (!pem?.includes('-----BEGIN ')) throw this.#unusable('caFile', 'has no certificate');
    // Without `ca`, Node uses its own certificates.
    const trusted = own.length === 0 ? {} : { ca: [...trustedRoots(), ...(own as string[])] };
    try {
      const proxy = createSecureContext(trusted);
      const isClient = cert !== undefined && key !== undefined;
      return { proxy, target: isClient ? createSecureContext({ ...trusted, cert, key }) : proxy };
    } catch (error) {
      throw this.#unusable(cert ? 'clientCertFile' : 'caFile', `cannot be used (${(error as Error).message})`);
    }
  }

  async #ofFile<T>(name: FileName, act: (path: string) => Promise<T>): Promise<T | undefined> {
    const path = this.#settings[name];
    if (!path) return undefined;
    try {
      return await act(path);
    } catch (error) {
      throw this.#unusable(name, fileProblem(error));
    }
  }

  #unusable(name: FileName, problem: string): ConfigError {
    const fix = 'Set it to a PEM file that the user of this process can read';
    return new ConfigError(`${name} ${this.#settings[name] ?? '("ca")'} ${problem}. ${fix}.`);
  }
}

let roots: readonly string[] | undefined;

/** The certificates that Node.js trusts, with those of `NODE_EXTRA_CA_CERTS`: `ca` would replace both. */
export function trustedRoots(): readonly string[] {
  roots ??= defaultRoots();
  return roots;
}

function defaultRoots(): readonly string[] {
  // Since Node.js 22.15.
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  if (getCACertificates) return getCACertificates('default');
  // A variable of Node.js, and not a setting of Longhaul.
  const path = process.env['NODE_EXTRA_CA_CERTS'];
  if (!path) return tls.rootCertificates;
  try {
    return [...tls.rootCertificates, readFileSync(path, 'utf8')];
  } catch {
    // Node.js has printed a warning about this file at its start.
    return tls.rootCertificates;
  }
}
