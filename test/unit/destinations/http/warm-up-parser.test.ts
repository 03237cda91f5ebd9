import { expect, test } from 'vitest';
import { warmUpParser } from '../../../../src/destinations/http/warm-up-parser.ts';

test('warming up has an answer parsed without a server', async () => {
  expect(await warmUpParser()).toBe(true);
});
