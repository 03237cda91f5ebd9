import { createDestination } from '../../../src/destinations/kinds.ts';
import { describeDestination } from '../../support/destination-conformance.ts';
import { entraToken } from '../../support/entra-token.ts';
import { withLocalApi } from '../local-api/with-local-api.ts';

const KEY = 'sk-right-0123456789';

describeDestination('openai', (body) =>
  withLocalApi({ apiKey: KEY }, ({ api }) =>
    body({
      key: KEY,
      connect: (options, key = KEY) => createDestination({ name: 'test', baseUrl: api.url, apiKey: key }, options),
      stop: () => api.close(),
    }),
  ),
);

/** With the paths of `/openai/v1`, with those of a dated version, and with an Entra token. */
for (const { title, apiVersion, isToken = false } of [
  { title: 'azure, with /openai/v1', apiVersion: undefined },
  { title: 'azure, with an API version', apiVersion: '2025-04-01-preview' },
  { title: 'azure, with an Entra token', apiVersion: 'preview', isToken: true },
]) {
  describeDestination(title, (body) =>
    withLocalApi({ apiKey: KEY, azure: true }, ({ api }) => {
      const right = isToken ? entraToken(600) : KEY;
      const authHeader = isToken ? 'authorization' : undefined;
      const baseUrl = new URL(api.url).origin;
      return body({
        key: right,
        connect: (options, key = right) =>
          createDestination({ name: 'test', kind: 'azure', baseUrl, apiVersion, apiKey: key, authHeader }, options),
        stop: () => api.close(),
      });
    }),
  );
}
