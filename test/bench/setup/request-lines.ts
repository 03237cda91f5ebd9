import type { LineCheck } from '../../../src/contracts/content.ts';

export interface RequestLines {
  readonly check: LineCheck | undefined;
  /** Approximate length. */
  readonly lineBytes: number;
  /** Whether each line has another layout than the line before. */
  readonly isMixed: boolean;
}

/** Requests of a batch, or chats, as lines of JSON. */
export function* requests(
  bytes: number,
  { check, lineBytes, isMixed }: RequestLines = { check: 'batch', lineBytes: 4096, isMixed: false },
): Generator<string> {
  const text = 'A sentence with "quotes", and a second line.\n'.repeat(Math.ceil(lineBytes / 45));
  const lineOf = (id: number, content: string) => {
    const layout = isMixed ? id % 3 : 0;
    const user = { role: 'user', content };
    if (check === 'chat') {
      const reply = { role: 'assistant', content: 'Yes.' };
      const messages = [[user], [user, reply], [{ role: 'system', content: 'Be short.' }, user, reply]][layout];
      return `${JSON.stringify({ messages })}\n`;
    }
    const body = { model: 'm', messages: [user], ...[{}, { temperature: 0.5 }, { max_tokens: 100 }][layout] };
    return `${JSON.stringify({ custom_id: `request-${id}`, method: 'POST', url: '/v1/responses', body })}\n`;
  };
  let length = text.length;
  while (length > 0 && lineOf(0, text.slice(0, length)).length > lineBytes) length--;
  for (let [id, written] = [0, 0]; written < bytes; id++) {
    const line = lineOf(id, text.slice(0, length));
    written += line.length;
    yield line;
  }
}
