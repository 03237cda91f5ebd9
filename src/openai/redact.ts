const SECRET_NAME = /auth|key|token|secret|cookie|password|signature/i;

/** Replaces every secret in a text that others wrote: a server may repeat a key in its error message. */
export type Redact = (text: string) => string;

/** @param named headers and query of every request, of which those with a telling name are secrets */
export function createRedact(apiKey: string, ...named: readonly Readonly<Record<string, string>>[]): Redact {
  const secrets = [
    apiKey,
    ...named
      .flatMap((values) => Object.entries(values))
      .flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value] : [])),
  ].filter((secret) => secret !== '');
  return (text) => secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '[redacted]'), text);
}
