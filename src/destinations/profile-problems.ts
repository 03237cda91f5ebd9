import { isPlainObject } from '../core/payload.ts';

/** Problems of a list of destinations, because programs without types can pass any value. */
export function profilesProblems(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every(isProfile)) {
    return ['"destinations" must be a function, or a list of objects with "name", "baseUrl" and "apiKey"'];
  }
  const names = value.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  return repeated === undefined ? [] : [`"destinations" has the name "${repeated}" twice`];
}

function isProfile(value: unknown): value is { readonly name: string } {
  if (!isPlainObject(value)) return false;
  const { name, baseUrl, apiKey } = value;
  return isText(name) && isText(baseUrl) && (isText(apiKey) || typeof apiKey === 'function' || isPlainObject(apiKey));
}

export function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
