import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { configFileJsonSchema } from '../config/config.ts';
import { declaredTypes, requestJsonSchemas } from './json-schema.ts';

/*
 * Part of the build: writes the JSON Schemas and type declarations of requests. Runs as compiled code, without tools.
 */

/** JSON Schemas for programs in other languages, and of the config file for editors. */
const folder = new URL('../../schemas/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ ...requestJsonSchemas(), config: configFileJsonSchema() })) {
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(schema, null, 2)}\n`);
}

/** Replaces the compiler's declarations of inferred types, which have no doc comments for editors. */
const left = new Map(Object.entries(declaredTypes()));
for (const file of ['sources', 'upload', 'sync']) {
  const path = new URL(`../contracts/requests/${file}.d.ts`, import.meta.url);
  const text = readFileSync(path, 'utf8').replaceAll(/^export type (\w+) = Frozen<[^;]*;\n/gm, (line, name: string) => {
    const written = left.get(name);
    left.delete(name);
    return written ?? line;
  });
  const imported = ['Source', 'Container', 'ManifestPlace'].filter((name) => {
    return file !== 'sources' && text.includes(`: ${name};`);
  });
  const imports = `import type { ${imported.join(', ')} } from '../sources.ts';\n`;
  writeFileSync(path, `${imported.length > 0 ? imports : ''}${text}`);
}
if (left.size > 0) throw new Error(`the compiler's declarations do not contain ${[...left.keys()].join(', ')}`);
