import { describe, expect, it } from 'vitest';
import { createRedact } from '../../../src/openai/redact.ts';

describe('what a service repeats', () => {
  const redact = createRedact(
    'sk-1234',
    { 'X-Team-Token': 'team-5', 'OpenAI-Organization': 'org-6' },
    { 'access-token': 'query-7', 'api-version': '2025-04-01' },
  );

  it('shows neither the key nor values of headers and query whose names tell of a secret', () => {
    expect(redact('sk-1234, team-5 and query-7 of org-6 by 2025-04-01')).toBe(
      '[redacted], [redacted] and [redacted] of org-6 by 2025-04-01',
    );
  });

  it('stays whole where a secret is empty', () => {
    expect(createRedact('sk-1234', { 'x-token': '' })('all of it')).toBe('all of it');
  });
});
