import { mkdirSync, writeFileSync } from 'node:fs';
import { requestJsonSchemas } from './contracts/requests/json-schema.ts';

/** Part of the build: the JSON Schemas of requests, for programs in other languages. */
const folder = new URL('../schemas/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(requestJsonSchemas())) {
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(schema, null, 2)}\n`);
}
