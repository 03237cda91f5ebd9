import { describe, expect, it } from 'vitest';
import { azureAddress, projectEndpointHint, type AddressSettings } from '../../../src/destinations/azure-address.ts';

const ENDPOINT = 'https://r.openai.azure.com';

describe('azureAddress', () => {
  it.each<[AddressSettings, string, string | undefined]>([
    [{ resource: 'my-resource' }, 'https://my-resource.openai.azure.com/openai/v1', undefined],
    [{ baseUrl: ENDPOINT }, `${ENDPOINT}/openai/v1`, undefined],
    [{ baseUrl: `${ENDPOINT}/` }, `${ENDPOINT}/openai/v1`, undefined],
    [{ baseUrl: `${ENDPOINT}/openai` }, `${ENDPOINT}/openai/v1`, undefined],
    [{ baseUrl: `${ENDPOINT}/openai/v1/` }, `${ENDPOINT}/openai/v1`, undefined],
    [{ baseUrl: ENDPOINT, apiVersion: 'v1' }, `${ENDPOINT}/openai/v1`, undefined],
    [{ baseUrl: `${ENDPOINT}/openai/v1`, apiVersion: 'preview' }, `${ENDPOINT}/openai/v1`, 'preview'],
    [{ baseUrl: ENDPOINT, apiVersion: '2025-04-01-preview' }, `${ENDPOINT}/openai`, '2025-04-01-preview'],
    [{ baseUrl: `${ENDPOINT}/openai/`, apiVersion: '2024-10-21' }, `${ENDPOINT}/openai`, '2024-10-21'],
    [{ baseUrl: `${ENDPOINT}/openai?api-version=2024-10-21` }, `${ENDPOINT}/openai`, '2024-10-21'],
    [{ baseUrl: ENDPOINT, query: { 'api-version': '2024-10-21' } }, `${ENDPOINT}/openai`, '2024-10-21'],
    [{ baseUrl: 'https://apim.example/team-a' }, 'https://apim.example/team-a/openai/v1', undefined],
    [{ baseUrl: 'http://127.0.0.1:8080/openai/v1' }, 'http://127.0.0.1:8080/openai/v1', undefined],
  ])('builds the address of %j', (settings, baseUrl, apiVersion) => {
    expect(azureAddress(settings)).toEqual({ baseUrl, apiVersion });
    // The result can be used again, as a destination of the config file does.
    expect(azureAddress({ baseUrl, apiVersion })).toEqual({ baseUrl, apiVersion });
  });

  it.each<[AddressSettings, string, RegExp]>([
    [{}, 'resource', /is missing.*baseUrl/],
    [{ resource: 'a', baseUrl: ENDPOINT }, 'resource', /together with baseUrl/],
    [{ resource: ENDPOINT }, 'resource', /name of an Azure OpenAI resource/],
    [{ resource: 'r.openai.azure.com' }, 'resource', /name of an Azure OpenAI resource/],
    [{ resource: '' }, 'resource', /name of an Azure OpenAI resource/],
    [{ baseUrl: 'r.openai.azure.com' }, 'baseUrl', /must be an address/],
    [{ baseUrl: ENDPOINT, apiVersion: '2025' }, 'apiVersion', /must be v1, or a date/],
    [{ baseUrl: ENDPOINT, apiVersion: '2024-13-45' }, 'apiVersion', /must be v1, or a date/],
    [{ baseUrl: ENDPOINT, apiVersion: '2025-02-30-preview' }, 'apiVersion', /must be v1, or a date/],
    [{ baseUrl: ENDPOINT, apiVersion: '' }, 'apiVersion', /must be v1, or a date/],
    [{ baseUrl: `${ENDPOINT}/openai/v1`, apiVersion: '2024-10-21' }, 'apiVersion', /cannot be used with \/openai\/v1/],
    [{ baseUrl: `${ENDPOINT}?api-version=2024-10-21`, apiVersion: 'v1' }, 'apiVersion', /several values/],
    [{ baseUrl: `${ENDPOINT}/openai/deployments/gpt` }, 'baseUrl', /must end before \/openai\/deployments\/gpt/],
    [{ baseUrl: `${ENDPOINT}/openai/v1/uploads` }, 'baseUrl', /must end before/],
  ])('rejects %j with one line', (settings, setting, problem) => {
    const found = azureAddress(settings);
    expect(found).toMatchObject({ setting, problem: expect.stringMatching(problem) });
    expect(JSON.stringify(found)).not.toContain('\\n');
  });
});

describe('projectEndpointHint', () => {
  it('explains only the project endpoint', () => {
    const hint = projectEndpointHint(new URL('https://r.services.ai.azure.com/api/projects/p1/openai/v1'));
    expect(hint).toContain('Set the endpoint of the resource: https://r.services.ai.azure.com');
    expect(projectEndpointHint(new URL('https://r.services.ai.azure.com/openai/v1'))).toBeUndefined();
  });
});
