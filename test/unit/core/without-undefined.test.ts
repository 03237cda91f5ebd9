import { describe, expect, it } from 'vitest';
import { withoutUndefined } from '../../../src/core/objects.ts';

describe('options to spread over defaults', () => {
  it('are those that are not undefined', () => {
    const options: { readonly host?: string | undefined; readonly port: number } = { host: undefined, port: 0 };
    expect(withoutUndefined(options)).toStrictEqual({ port: 0 });
  });
});
