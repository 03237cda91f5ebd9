import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { requestJsonSchemas, type JsonSchema } from '../../src/contracts/requests/json-schema.ts';

/*
 * The tables of docs/services.md between `<!-- table:NAME -->` and `<!-- /table:NAME -->`, from the JSON Schemas of
 * requests. `npm run docs-tables` writes them.
 */

export const pagePath = fileURLToPath(new URL('../../docs/services.md', import.meta.url));

/** The page with its tables as the schemas of today say. */
export function withTables(page: string): string {
  return page.replace(
    /(<!-- table:([\w-]+) -->\n)[^]*?(<!-- \/table:\2 -->)/g,
    (_, start: string, name: string, end: string) => `${start}\n${tables()[name] ?? ''}\n${end}`,
  );
}

function tables(): Readonly<Record<string, string>> {
  const { 'upload-request': upload, 'split-upload-request': split, 'sync-request': sync } = requestJsonSchemas();
  const more = Object.entries(split?.properties ?? {}).filter(([name]) => !upload?.properties?.[name]);
  const { Source: source, Container: container, ...others } = { ...upload?.$defs, ...sync?.$defs };
  const kindsOf = ({ oneOf = [] }: JsonSchema = {}) =>
    oneOf.map(({ $ref = '' }) => others[$ref.slice('#/$defs/'.length)] ?? {});
  return {
    'upload-request': rows(upload),
    'split-upload-request': rows({ properties: Object.fromEntries(more) }),
    'sync-request': rows(sync),
    sources: kinds([...kindsOf(source), ...kindsOf(container)]),
  };
}

function rows({ properties = {}, required = [] }: JsonSchema = {}): string {
  const lines = Object.entries(properties).map(([name, property]) => {
    const isRequired = required.includes(name);
    const standard = isRequired ? 'required' : shownDefault(property.default);
    return `| \`${name}\` | ${valuesOf(property)} | ${standard} | ${property.description ?? ''} |`;
  });
  return ['| property | values | default | meaning |', '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}

function kinds(schemas: readonly JsonSchema[]): string {
  const lines = schemas.flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties).flatMap(([name, property]) => {
      if (name === 'type') return [];
      const meaning = `${required.includes(name) ? 'required: ' : ''}${property.description ?? ''}`;
      return [`| \`${String(properties['type']?.const)}\` | \`${name}\` | ${valuesOf(property)} | ${meaning} |`];
    }),
  );
  return ['| `type` | property | values | meaning |', '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}

function valuesOf({ $ref, type, minimum, maximum = 0, maxLength, anyOf, items }: JsonSchema): string {
  if ($ref !== undefined) return 'object';
  if (anyOf) return anyOf.map((one) => valuesOf(one)).join(', or ');
  if (type === 'boolean') return '`true` or `false`';
  if (type === 'string') return `at most ${numberText(maxLength ?? 0)} bytes`;
  if (items) return 'list of texts';
  if (minimum === undefined) return type === 'number' || type === 'integer' ? '0' : (type ?? '');
  const least = numberText(minimum);
  return maximum >= Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${numberText(maximum)}`;
}

function shownDefault(value: unknown): string {
  if (value === undefined || JSON.stringify(value) === '{}') return '';
  return typeof value === 'number'
    ? numberText(value)
    : `\`${typeof value === 'string' && value ? value : JSON.stringify(value)}\``;
}

function numberText(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

if (process.argv.includes('--write')) writeFileSync(pagePath, withTables(readFileSync(pagePath, 'utf8')));
