import { expect, test } from 'vitest';
import { warmUpParser } from '../../../../src/destinations/http/warm-up-parser.ts';

test('warmUpParser parses a response without a server', async () => {
  expect(await warmUpParser()).toBe(true);
});
