const SECRET_HEADER = /auth|key|token|secret|cookie|password/i;

/** Replaces every secret in a text that others wrote: a server may repeat a key in its error message. */
export type Redact = (text: string) => string;

export function createRedact(apiKey: string, headers: Readonly<Record<string, string>>): Redact {
  const secrets = [
    apiKey,
    ...Object.entries(headers).flatMap(([name, value]) => (SECRET_HEADER.test(name) ? [value] : [])),
  ];
  return (text) => secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '[redacted]'), text);
}
