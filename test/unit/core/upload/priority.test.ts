import { describe, expect, it } from 'vitest';
import { requestPriority } from '../../../../src/core/upload/priority.ts';

describe('the priority of a request', () => {
  it('omits properties that the request omits, so that they are inherited', () => {
    expect(requestPriority({})).toStrictEqual({});
    expect(requestPriority({ priority: 4 })).toStrictEqual({ priorityKey: 4 });
  });

  it('has all properties of the request', () => {
    expect(requestPriority({ priority: 1, fairnessKey: 'tenant', fairnessWeight: 2 })).toEqual({
      priorityKey: 1,
      fairnessKey: 'tenant',
      fairnessWeight: 2,
    });
  });
});
