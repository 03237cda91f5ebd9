import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { configFileJsonSchema } from '../../src/config/config.ts';
import { environmentSchema } from '../../src/config/environment.ts';
import { requestJsonSchemas, type JsonSchema } from '../../src/build/json-schema.ts';

/*
 * The tables of pages between `<!-- table:NAME -->` and `<!-- /table:NAME -->`, from the schemas of requests, of the environment
 * and of the config file. `npm run docs-tables` writes them.
 */

/** The pages with tables. */
export const pagePaths = ['services', 'configuration', 'sources'].map((name) =>
  fileURLToPath(new URL(`../../docs/${name}.md`, import.meta.url)),
);

/** A JSON Schema with the keywords that only settings have. */
interface SettingSchema extends JsonSchema {
  readonly additionalProperties?: boolean | SettingSchema;
}

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
    ...settingTables(),
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

/** The tables of the environment and of the config file, by name. */
export function settingTables(): Record<string, string> {
  const environment = z.toJSONSchema(environmentSchema, { io: 'input', unrepresentable: 'any' }) as SettingSchema;
  const { sources, destinations, ...others } = (configFileJsonSchema() as SettingSchema).properties ?? {};
  const file = { type: 'object', properties: { ...others, destinations: destinations ?? {} } };
  return {
    environment: settings('variable', settingsOf(environment)),
    'config-file': settings('property', settingsOf(file)),
    'config-sources': settings('property', settingsOf(sources)),
  };
}

type Setting = readonly [name: string, schema: SettingSchema];

/** The properties with values, of objects within objects too. A name that the user chooses is `NAME`. */
function settingsOf({ properties = {} }: SettingSchema = {}, prefix = ''): Setting[] {
  return Object.entries(properties as Record<string, SettingSchema>).flatMap(([name, schema]): Setting[] => {
    const { additionalProperties: named } = schema;
    const path = `${prefix}${name}`;
    if (schema.properties) return settingsOf(schema, `${path}.`);
    if (typeof named === 'object' && named.properties) return settingsOf(named, `${path}.NAME.`);
    return [[path, schema]];
  });
}

function settings(kind: string, rowsOfTable: readonly Setting[]): string {
  const lines = rowsOfTable.map(([name, schema]) => {
    const [meaning, standard = ''] = (schema.description ?? '').split('; default: ');
    return `| \`${name}\` | ${settingValues(schema)} | ${meaning} | ${standard} |`;
  });
  return [`| ${kind} | values | meaning | default |`, '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}

function settingValues(schema: SettingSchema): string {
  const { type, const: value, enum: values, anyOf, items } = schema;
  if (value !== undefined) return JSON.stringify(value);
  if (anyOf) return anyOf.map((one) => settingValues(one)).join(', or ');
  if (items) return 'list of texts';
  if (type === 'string' && !values) return 'text';
  return type === 'object' ? 'object' : valuesOf(schema);
}

function valuesOf({ $ref, type, enum: values, minimum, maximum = 0, maxLength, anyOf, items }: JsonSchema): string {
  if ($ref !== undefined) return 'object';
  if (values) return values.map((one) => `\`${String(one)}\``).join(', ');
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

if (process.argv.includes('--write')) {
  for (const path of pagePaths) writeFileSync(path, withTables(readFileSync(path, 'utf8')));
}
