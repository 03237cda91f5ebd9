/** Settings of a destination that determine its address. */
export interface AddressSettings {
  readonly baseUrl?: string | undefined;
  /** Name of an Azure OpenAI resource. */
  readonly resource?: string | undefined;
  /** A date such as `2025-04-01-preview`, or `v1`, `preview` or `latest` for the paths under `/openai/v1`. */
  readonly apiVersion?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
}

/** The base URL of the routes, and the value of `api-version`. */
export interface Address {
  readonly baseUrl: string;
  readonly apiVersion: string | undefined;
}

/** `setting` is the one that must change. */
export interface AddressProblem {
  readonly setting: string;
  readonly problem: string;
}

const DATED_VERSION = /^(\d{4}-\d{2}-\d{2})(-preview)?$/;
const VERSIONS_OF_V1 = ['v1', 'preview', 'latest'];
const PARAMETER = 'api-version';
const EXAMPLE = 'https://my-resource.openai.azure.com';

/**
 * The address of Azure OpenAI: `{resource}/openai/v1`, or `{resource}/openai` with a dated `api-version`. The base URL can
 * contain `/openai` or `/openai/v1` already.
 */
export function azureAddress({ baseUrl, resource, apiVersion, query }: AddressSettings): Address | AddressProblem {
  if (resource !== undefined && baseUrl !== undefined)
    return { setting: 'resource', problem: 'must not be set together with baseUrl. Remove one of them' };
  if (resource !== undefined && !/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/i.test(resource)) {
    const problem = 'must be the name of an Azure OpenAI resource, such as my-resource. Set an address as baseUrl';
    return { setting: 'resource', problem };
  }
  const text = resource === undefined ? baseUrl : `https://${resource}.openai.azure.com`;
  if (text === undefined)
    return { setting: 'resource', problem: `is missing. Set resource to its name, or baseUrl, such as ${EXAMPLE}` };
  const url = URL.parse(text);
  if (!url) return { setting: 'baseUrl', problem: `must be an address such as ${EXAMPLE}` };

  const versions = [apiVersion, url.searchParams.get(PARAMETER) ?? undefined, query?.[PARAMETER]];
  const [version, ...others] = new Set(versions.filter((one) => one !== undefined));
  if (others.length > 0)
    return {
      setting: 'apiVersion',
      problem: `has several values: ${[version, ...others].join(', ')}. Keep one of them`,
    };
  const isDated = version !== undefined && isDatedVersion(version);
  if (version !== undefined && !isDated && !VERSIONS_OF_V1.includes(version))
    return { setting: 'apiVersion', problem: 'must be v1, or a date such as 2025-04-01-preview' };

  const path = url.pathname.replace(/\/+$/, '');
  const [, before = '', after = ''] = /^(.*?)\/openai(\/.*)?$/.exec(path) ?? [undefined, path];
  if (after !== '' && after !== '/v1')
    return { setting: 'baseUrl', problem: `must end before /openai${after}, for example ${EXAMPLE}` };
  if (after === '/v1' && isDated) {
    const problem = `${version} cannot be used with /openai/v1 in baseUrl. Remove one of them`;
    return { setting: 'apiVersion', problem };
  }
  url.pathname = `${before}/openai${isDated ? '' : '/v1'}`;
  url.searchParams.delete(PARAMETER);
  return { baseUrl: url.href, apiVersion: version === 'v1' ? undefined : version };
}

/** Whether it is a day of the calendar: `Date` accepts February 30 as March 1. */
function isDatedVersion(version: string): boolean {
  const [, day = ''] = DATED_VERSION.exec(version) ?? [];
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** Marks an error that already has its fix. */
export const PROJECT_ENDPOINT = 'the project endpoint of Foundry';

/** Explains the 404 of a base URL; undefined if it is not the project endpoint of Foundry. */
export function projectEndpointHint(baseUrl: URL): string | undefined {
  if (!/\/api\/projects(\/|$)/i.test(baseUrl.pathname)) return undefined;
  return (
    `The base URL is ${PROJECT_ENDPOINT}, which does not have the routes of uploads and Files. ` +
    `Set the endpoint of the resource: ${baseUrl.origin}`
  );
}
