import type { Reply } from './api-context.ts';
import type { FaultSpec } from './faults.ts';

/** How a reply differs from the correct one. */
export type Alteration = Pick<FaultSpec, 'status' | 'headers' | 'set' | 'remove' | 'text' | 'textRepeat'>;

/** Changes single properties of a reply of JSON, or replaces its body, status and headers. */
export function alteredReply(reply: Reply, { status, headers, set, remove, text, textRepeat }: Alteration): Reply {
  const altered = { ...reply, status: status ?? reply.status, headers: { ...reply.headers, ...headers } };
  if (text !== undefined) {
    // Content has headers of its length, which are not those of the text.
    const headersOfText = reply.stream === undefined ? altered.headers : headers;
    return { status: altered.status, headers: headersOfText, text: text.repeat(textRepeat ?? 1) };
  }
  if (reply.json === undefined) return altered;
  const json: unknown = structuredClone(reply.json);
  for (const pointer of remove ?? []) change(json, pointer, undefined);
  for (const [pointer, value] of Object.entries(set ?? {})) change(json, pointer, value);
  return { ...altered, json };
}

/** @param pointer a JSON Pointer such as `/data/0/bytes`; `-` appends to a list. A pointer that leads nowhere is ignored */
function change(json: unknown, pointer: string, value: unknown): void {
  const names = pointer.split('/').slice(1);
  const last = names.pop();
  const holder = names.reduce<unknown>((within, name) => (within as Record<string, unknown> | undefined)?.[name], json);
  if (typeof holder !== 'object' || holder === null || last === undefined) return;
  if (Array.isArray(holder) && last === '-') holder.push(value);
  else if (value === undefined) Reflect.deleteProperty(holder, last);
  else Object.assign(holder, { [last]: value });
}
