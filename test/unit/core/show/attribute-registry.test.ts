import { describe, expect, it } from 'vitest';
import {
  lackingAttributes,
  registerCommands,
  registeredAttributes,
} from '../../../../src/core/show/attribute-registry.ts';

const all = Object.fromEntries(registeredAttributes.map(({ name, code }) => [name, code]));

describe('the search attributes of a namespace', () => {
  it('are within the limits of each type of a namespace on SQL', () => {
    const count = (type: string) => registeredAttributes.filter((attribute) => attribute.type === type).length;
    expect(count('Keyword')).toBeLessThanOrEqual(10);
    for (const type of ['Int', 'Double', 'Bool']) expect(count(type)).toBeLessThanOrEqual(3);
  });

  it('report exactly the missing search attributes', () => {
    expect(lackingAttributes({ ...all, Other: 1 })).toEqual({ missing: [], conflicts: [] });
    const { LonghaulBytes: _bytes, ...rest } = all;
    expect(lackingAttributes(rest).missing.map(({ name }) => name)).toEqual(['LonghaulBytes']);
    expect(lackingAttributes({}).missing).toEqual(registeredAttributes);
  });

  it('conflict with other attributes of the same names', () => {
    const { conflicts, missing } = lackingAttributes({ ...all, LonghaulBytes: 2, LonghaulState: 7 });
    expect(missing).toEqual([]);
    expect(conflicts.map(({ name, type, found }) => [name, type, found])).toEqual([
      ['LonghaulState', 'Keyword', 'type 7'],
      ['LonghaulBytes', 'Int', 'Keyword'],
    ]);
  });

  it('can be registered by commands that contain each name and type', () => {
    const { temporal, cloud } = registerCommands(registeredAttributes.slice(5, 7), 'team');
    expect(temporal).toBe(
      'temporal operator search-attribute create --namespace team --name LonghaulFileId --type Keyword --name LonghaulBytes --type Int',
    );
    expect(cloud).toBe(
      'tcld namespace search-attributes add --namespace team --search-attribute "LonghaulFileId=Keyword" --search-attribute "LonghaulBytes=Int"',
    );
  });
});
