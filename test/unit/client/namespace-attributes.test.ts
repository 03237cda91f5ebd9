import { ServiceError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { NamespaceAttributes, type StartAttributes } from '../../../src/client/namespace-attributes.ts';
import { registeredAttributes } from '../../../src/core/show/attribute-registry.ts';

const all = Object.fromEntries(registeredAttributes.map(({ name, code }) => [name, code]));
const values = { state: 'inspecting' };
const given = { typedSearchAttributes: [{ key: { name: 'LonghaulState', type: 'KEYWORD' }, value: 'inspecting' }] };

/** A client whose namespace gives one answer after the other. */
function clientOf(answers: (Record<string, number> | Error)[]): { client: Client; asked: () => number } {
  let asked = 0;
  const listSearchAttributes = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    return { customAttributes: answer };
  };
  const withDeadline = (_deadline: number, call: () => Promise<unknown>) => call();
  const connection = { operatorService: { listSearchAttributes }, withDeadline };
  return { client: { connection, options: { namespace: 'default' } } as unknown as Client, asked: () => asked };
}

function refusal(details: string): ServiceError {
  const cause = Object.assign(new Error(details), { code: 3, details, metadata: {} });
  return new ServiceError('Failed to start Workflow', { cause });
}

describe('what a client starts', () => {
  it('gets search attributes where the namespace knows all of them, which is asked once', async () => {
    const { client, asked } = clientOf([all]);
    const attributes = new NamespaceAttributes(client);
    expect(await Promise.all([attributes.of(values), attributes.of(values)])).toEqual([given, given]);
    expect(await attributes.of(values)).toEqual(given);
    expect(asked()).toBe(1);
  });

  it('does without where one is lacking or of another type, or where nobody may ask', async () => {
    const { LonghaulBytes: _bytes, ...lacking } = all;
    for (const answer of [{}, lacking, { ...all, LonghaulBytes: 2 }, new Error('denied')]) {
      const { client, asked } = clientOf([answer]);
      const attributes = new NamespaceAttributes(client);
      expect([await attributes.of(values), await attributes.of(values)]).toEqual([{}, {}]);
      expect(asked()).toBe(1);
    }
  });

  it('is started without them when it is refused for their sake, and for nothing else', async () => {
    const attributes = new NamespaceAttributes(clientOf([all]).client);
    const tried: StartAttributes[] = [];
    const start = (details: string) => async (options: StartAttributes) => {
      tried.push(options);
      if (options.typedSearchAttributes) throw refusal(details);
      return 'started';
    };
    await expect(attributes.startWith(values, start('the id is too long'))).rejects.toThrow(ServiceError);
    const about = 'Namespace default has no mapping defined for search attribute LonghaulState';
    expect(await attributes.startWith(values, start(about))).toBe('started');
    expect(await attributes.startWith(values, start(about))).toBe('started');
    expect(tried).toEqual([given, given, {}, {}]);
  });
});
