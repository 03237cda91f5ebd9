import * as z from 'zod';
import { described } from './values.ts';
import { NO_PROXY_SETTING, parseProxy, type ProxyRules } from '../network/proxy.ts';

const path = z.string().startsWith('/', 'must be an absolute path');

/** Properties of every destination, S3 connection and of `sources.http`. */
export const networkFields = {
  proxy: described(
    z
      .string()
      .trim()
      .refine(isProxySetting, 'must be an http:// or https:// address such as http://proxy.example:3128, or none'),
    'URL of a [proxy](configuration.md#proxies), or `none` for direct connections; default: from the environment',
  ),
  caFile: described(
    path,
    'absolute path of a PEM file of authorities that are trusted in addition to those of Node.js. See [Certificates](configuration.md#certificates)',
  ),
  clientCertFile: described(path, 'absolute path of a client certificate (PEM), with `clientKeyFile`'),
  clientKeyFile: described(path, 'absolute path of the key of the certificate (PEM)'),
} as const;

interface ClientFiles {
  readonly clientCertFile?: string | undefined;
  readonly clientKeyFile?: string | undefined;
}

/** For `refine`. */
export const hasWholeClientCertificate = ({ clientCertFile, clientKeyFile }: ClientFiles): boolean =>
  (clientCertFile === undefined) === (clientKeyFile === undefined);

export const WHOLE_CLIENT_CERTIFICATE = 'must have both clientCertFile and clientKeyFile, or neither of them';

function isProxySetting(text: string): boolean {
  if (text === NO_PROXY_SETTING) return true;
  try {
    parseProxy(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The proxies of the environment, as curl reads them: lower case comes before upper case, and `ALL_PROXY` is for URLs
 * without another variable. `HTTP_PROXY` is ignored in a CGI program, where a request sets it.
 */
export function readProxyRules(env: Readonly<Record<string, string | undefined>>): ProxyRules | undefined {
  const read = (name: string) => env[name.toLowerCase()]?.trim() || env[name]?.trim() || undefined;
  const all = read('ALL_PROXY');
  const http = env['REQUEST_METHOD'] === undefined ? read('HTTP_PROXY') : env['http_proxy']?.trim() || undefined;
  const rules = { http: http ?? all, https: read('HTTPS_PROXY') ?? all, noProxy: read('NO_PROXY') };
  return rules.http === undefined && rules.https === undefined ? undefined : rules;
}
