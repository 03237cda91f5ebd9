/** An unsigned token as Entra ID has them. The local API checks only its form and its expiry. */
export function entraToken(lifeSeconds: number): string {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = { aud: 'https://cognitiveservices.azure.com', iat: nowSeconds, exp: nowSeconds + lifeSeconds };
  return `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.${encoded({ jti: String(Math.random()) })}`;
}
