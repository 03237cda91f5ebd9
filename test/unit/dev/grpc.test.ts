import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { registeredAttributes } from '../../../src/core/show/attribute-registry.ts';
import { decode, encode, Grpc } from '../../../src/dev/server/grpc.ts';
import { messages } from '../../../src/dev/server/namespace.ts';

const { workflowservice, operatorservice } = temporal.api;
const service = workflowservice.v1;
const operator = operatorservice.v1;

describe('the requests of the server process', () => {
  it('match Temporal’s definitions', () => {
    const namespace = 'default';
    expect(service.DescribeNamespaceRequest.decode(messages.namespace())).toMatchObject({ namespace });
    expect(operator.ListSearchAttributesRequest.decode(messages.namespace())).toMatchObject({ namespace });
    expect(service.ListWorkflowExecutionsRequest.decode(messages.firstOfList())).toMatchObject({
      namespace,
      pageSize: 1,
    });
    expect(service.ListSchedulesRequest.decode(messages.firstOfList())).toMatchObject({
      namespace,
      maximumPageSize: 1,
    });
    const update = service.UpdateNamespaceRequest.decode(messages.retention(7_776_000));
    expect(update.namespace).toBe(namespace);
    expect(Number(update.config?.workflowExecutionRetentionTtl?.seconds)).toBe(7_776_000);
    const attributes = Object.fromEntries(registeredAttributes.map(({ name, code }) => [name, code]));
    expect(operator.AddSearchAttributesRequest.decode(messages.attributes(registeredAttributes))).toMatchObject({
      namespace,
      searchAttributes: attributes,
    });
  });

  it('decode the responses of Temporal', () => {
    const info = { namespaceInfo: { name: 'default', description: 'x'.repeat(300) } };
    const response = (seconds: number) =>
      service.DescribeNamespaceResponse.encode(
        service.DescribeNamespaceResponse.create({
          ...info,
          config: { workflowExecutionRetentionTtl: { seconds: seconds as never } },
        }),
      ).finish();
    for (const seconds of [1, 86_400, 7_776_000, 2 ** 33]) {
      expect(messages.retentionOf(decode(Buffer.from(response(seconds))))).toBe(seconds);
    }
    expect(messages.retentionOf(decode(Buffer.alloc(0)))).toBe(0);
    const list = operator.ListSearchAttributesResponse.encode({ customAttributes: { A: 2, B: 4 } }).finish();
    expect(messages.attributesOf(decode(Buffer.from(list)))).toEqual(['A', 'B']);
  });
});

describe('Grpc', () => {
  it("returns the response, or fails with the server's message or after a timeout", async () => {
    const server = createServer();
    server.on('stream', (stream, headers) => {
      if (headers[':path'] === '/silent') return;
      if (headers[':path'] === '/fails') {
        return stream.respond(
          { ':status': 200, 'grpc-status': '5', 'grpc-message': 'no such table%3A a' },
          {
            endStream: true,
          },
        );
      }
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      const message = encode({ 1: 'a' });
      stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [grpc, impatient] = [new Grpc(address, 20_000), new Grpc(address, 100)];
    try {
      expect(String((await grpc.call('works', Buffer.alloc(0))).get(1)?.[0])).toBe('a');
      await expect(grpc.call('fails', Buffer.alloc(0))).rejects.toThrow('no such table: a');
      await expect(impatient.call('silent', Buffer.alloc(0))).rejects.toThrow('no response to silent');
    } finally {
      grpc.close();
      impatient.close();
      server.close();
    }
    const refused = new Grpc('127.0.0.1:1', 20_000);
    await expect(refused.call('works', Buffer.alloc(0))).rejects.toThrow('ECONNREFUSED');
    refused.close();
  });
});
