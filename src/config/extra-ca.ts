/** Path of the certificates that Node.js trusts in addition to its own. */
export function extraCaFile(env: Readonly<NodeJS.ProcessEnv> = process.env): string | undefined {
  return env['NODE_EXTRA_CA_CERTS'] || undefined;
}
