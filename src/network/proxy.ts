import { ConfigError } from '../errors.ts';
import { NoProxy } from './no-proxy.ts';
import { withoutBrackets } from './url.ts';

/** The proxies of an environment. The URLs can contain a user name and a password, so they are secrets. */
export interface ProxyRules {
  /** Proxy for `http:` URLs. */
  readonly http?: string | undefined;
  /** Proxy for `https:` URLs. */
  readonly https?: string | undefined;
  /** Hosts that are reached directly, see `NoProxy`. */
  readonly noProxy?: string | undefined;
}

/** One proxy, ready for use. */
export interface Proxy {
  readonly protocol: 'http:' | 'https:';
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** HOST:PORT, for messages. */
  readonly name: string;
  /** Value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
  /** Texts that must not be in any message. */
  readonly secrets: readonly string[];
}

/** The setting of a single destination, which comes before every rule: a URL, or `none` for a direct connection. */
export type ProxySetting = string;

export const NO_PROXY_SETTING = 'none';

/** The proxy for a URL; undefined for a direct connection. @throws ConfigError if the setting cannot be used */
export type ProxyChooser = (url: URL) => Proxy | undefined;

/** Returns undefined if every connection is direct. */
export function proxyChooser(setting: ProxySetting | undefined, rules: ProxyRules = {}): ProxyChooser | undefined {
  if (setting === NO_PROXY_SETTING) return undefined;
  const parsed = new Map<string, Proxy>();
  const parse = (text: string) => {
    const proxy = parsed.get(text) ?? parseProxy(text);
    parsed.set(text, proxy);
    return proxy;
  };
  if (setting !== undefined) return () => parse(setting);
  if (rules.http === undefined && rules.https === undefined) return undefined;
  const noProxy = new NoProxy(rules.noProxy);
  return (url) => {
    const text = url.protocol === 'http:' ? rules.http : rules.https;
    return text === undefined || noProxy.matches(url) ? undefined : parse(text);
  };
}

/** The setting that the rules result in for one URL. */
export function proxySettingFor(url: URL, { http, https, noProxy }: ProxyRules): ProxySetting | undefined {
  const text = url.protocol === 'http:' ? http : https;
  return text === undefined || new NoProxy(noProxy).matches(url) ? undefined : text;
}

/** @throws ConfigError if it is not an http: or https: URL; the message does not repeat it */
export function parseProxy(text: string): Proxy {
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  const fix =
    'Set HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or "proxy" of the config file to a URL such as http://proxy.example:3128';
  if (!url) throw new ConfigError(`the proxy setting is not a URL. ${fix}.`);
  const { protocol } = url;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new ConfigError(`${protocol}// proxies are not supported. ${fix}.`);
  }
  const port = Number(url.port) || (protocol === 'http:' ? 80 : 443);
  const credentials = credentialsOf(url);
  return {
    protocol,
    host: withoutBrackets(url.hostname),
    port,
    name: `${url.hostname}:${port}`,
    authorization: credentials && `Basic ${credentials.basic}`,
    secrets: credentials ? [credentials.basic, credentials.password, url.password].filter((one) => one !== '') : [],
  };
}

/** The same URL without its user name and password, for output. */
export function withoutCredentials(text: ProxySetting): string {
  if (text === NO_PROXY_SETTING) return text;
  const at = text.lastIndexOf('@');
  return at < 0 ? text : `${/^[a-z][a-z\d+.-]*:\/\//i.exec(text)?.[0] ?? ''}[redacted]${text.slice(at)}`;
}

function credentialsOf({ username, password }: URL): { readonly basic: string; readonly password: string } | undefined {
  if (username === '' && password === '') return undefined;
  const plain = { username: decoded(username), password: decoded(password) };
  const basic = Buffer.from(`${plain.username}:${plain.password}`).toString('base64');
  return { basic, password: plain.password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
