import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutations } from '../chaos/mutation-list.ts';

describe('the mutations of the chaos suite', () => {
  it.each(mutations)('still find where $safeguard', ({ file, from }) => {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(source.split(from)).toHaveLength(2);
  });
});
