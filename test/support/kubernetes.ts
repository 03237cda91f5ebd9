import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

const folder = new URL('../../deploy/kubernetes/', import.meta.url);

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

/** As much of a Deployment as the tests read. */
export interface Deployment {
  readonly kind: 'Deployment';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
      };
    };
  };
}

export interface Container {
  readonly args: readonly string[];
  readonly ports: readonly [{ readonly name: string; readonly containerPort: number }];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

/** The paths of all manifests below `deploy/kubernetes`. */
export function manifestNames(): string[] {
  const names = readdirSync(folder, { recursive: true }).map(String);
  return names.filter((name) => name.endsWith('.yaml')).toSorted();
}

export function manifestText(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}

/** The objects of one manifest, or of all. */
export function manifests(...names: readonly string[]): readonly Readonly<Record<string, unknown>>[] {
  return (names.length > 0 ? names : manifestNames()).flatMap((name) =>
    parseAllDocuments(manifestText(name)).map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS() as Readonly<Record<string, unknown>>;
    }),
  );
}

export function deploymentOf(component: 'control' | 'transfer'): Deployment {
  return manifests(`${component}.yaml`).find(({ kind }) => kind === 'Deployment') as unknown as Deployment;
}

export function containerOf(component: 'control' | 'transfer'): Container {
  return deploymentOf(component).spec.template.spec.containers[0];
}

/** The environment of all workers. */
export function configMapData(): Readonly<Record<string, string>> {
  const found = manifests('config.yaml').find(({ kind }) => kind === 'ConfigMap');
  return (found as unknown as { readonly data: Readonly<Record<string, string>> }).data;
}
