import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { WorkflowCounter, type WorkflowCounterDefinition } from '../../src/contracts/metrics.ts';
import { partOutcomes, WorkerMetric, type MetricDefinition } from '../../src/observe/metrics/definitions.ts';
import { processMetrics, sdkMetrics } from '../support/sdk-metrics.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface AlertTest {
  readonly alertname: string;
  readonly exp_alerts: readonly unknown[];
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const { groups } = parse(read('deploy/prometheus-rules.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const { tests } = parse(read('deploy/prometheus-rules.test.yml')) as { tests: { alert_rule_test: AlertTest[] }[] };
const dashboard = JSON.parse(read('deploy/grafana-dashboard.json')) as {
  panels: Panel[];
  templating: { list: { name: string; definition?: string }[] };
};
const queries = [
  ...rules.map(({ alert, expr }) => ({ of: alert, expr })),
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ of: title, expr }))),
  ...dashboard.templating.list.flatMap(({ name, definition: expr }) => (expr ? [{ of: name, expr }] : [])),
];

const ofTargets = ['job', 'instance'];
const ofWorkflows = ['namespace', 'task_queue', 'workflow_type'];
const workflowCounters: readonly WorkflowCounterDefinition[] = Object.values(WorkflowCounter);
const workerMetrics: readonly MetricDefinition[] = Object.values(WorkerMetric);

/** Every series there is, with the labels that a query may name; undefined where they are not ours. */
const known = new Map<string, readonly string[] | undefined>([
  ...[...sdkMetrics, ...processMetrics].flatMap((name) =>
    ['', '_bucket', '_count', '_sum'].map((suffix) => [`${name}${suffix}`, undefined] as const),
  ),
  ...workflowCounters.map(
    ({ name, label }) => [`${name}_total`, [...ofWorkflows, ...(label ? [label.name] : [])]] as const,
  ),
  ...workerMetrics.flatMap(({ name, type, labels }) =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, [...labels, 'le']] as const,
          [`${name}_sum`, labels] as const,
          [`${name}_count`, labels] as const,
        ]
      : [[name, labels] as const],
  ),
]);

const names = (expr: string) => expr.match(/\b(longhaul|temporal|process|nodejs)_\w+/g) ?? [];

describe('the metrics in queries of panels and rules', () => {
  it.each(queries)('exist: $of', ({ expr }) => {
    expect(names(expr).length + (expr.match(/\bup\b/g) ?? []).length, 'metrics named').toBeGreaterThan(0);
    expect(names(expr).filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(queries)('have the labels of the query: $of', ({ expr }) => {
    for (const [, name = '', matchers = ''] of expr.matchAll(/\b(longhaul_\w+)\{([^}]*)\}/g)) {
      const asked = [...matchers.matchAll(/(\w+)\s*(?:=|!=|=~|!~)\s*"/g)].map(([, label]) => label ?? '');
      expect(asked.filter((label) => ![...ofTargets, ...(known.get(name) ?? [])].includes(label))).toEqual([]);
    }
  });

  it('are compared only with existing outcomes and states', () => {
    const values = queries.flatMap(({ expr }) =>
      [...expr.matchAll(/(?:outcome|state)(?:=|!~)"([^"$]+)"/g)].flatMap(([, value]) => value?.split('|') ?? []),
    );
    const all = [...partOutcomes, ...WorkflowCounter.uploadsEnded.label.values];
    expect(values.length).toBeGreaterThan(0);
    expect(values.filter((value) => !all.includes(value))).toEqual([]);
  });

  it('of Longhaul are in the table of docs/metrics.md, with their labels', () => {
    const page = read('docs/metrics.md');
    const ours = [
      ...workerMetrics.map(({ name, labels }) => [name, labels] as const),
      ...workflowCounters.map(({ name, label }) => [`${name}_total`, label ? [label.name] : []] as const),
    ];
    const rows = ours.map(([name, labels]) => [
      name,
      labels,
      page.split('\n').find((line) => line.includes(`\`${name}\``)),
    ]);
    for (const [name, labels, row] of rows) {
      expect(row, `a row for ${String(name)}`).toBeDefined();
      for (const label of labels ?? []) expect(row).toContain(`\`${label}\``);
    }
  });
});

describe('each alert', () => {
  const cases = tests.flatMap(({ alert_rule_test: list }) => list);

  it.each(rules)('has a test in which it fires and one in which it does not: $alert', ({ alert, annotations }) => {
    const own = cases.filter(({ alertname }) => alertname === alert);
    expect(
      own.some(({ exp_alerts: expected }) => expected.length > 0),
      'a case in which it fires',
    ).toBe(true);
    expect(
      own.some(({ exp_alerts: expected }) => expected.length === 0),
      'a case in which it does not',
    ).toBe(true);
    expect(Object.keys(annotations)).toEqual(['summary', 'description']);
  });
});
