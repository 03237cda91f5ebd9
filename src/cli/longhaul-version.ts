import { readFileSync } from 'node:fs';

const packageJson = new URL('../../../package.json', import.meta.url);

export function longhaulVersion(): string {
  return (JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string }).version;
}
