import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FailureType } from '../../src/contracts/failures.ts';
import { waitingReason } from '../../src/core/upload/reasons.ts';

const docs = new URL('../../docs/', import.meta.url);
const runbook = readFileSync(new URL('runbook.md', docs), 'utf8');
const rules = parse(readFileSync(new URL('../deploy/prometheus-rules.yml', docs), 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[];
};
const alerts = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));

/** The first cells of the tables below a heading. */
function reasonsBelow(heading: string): string[] {
  const section = runbook.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = '']) => cell);
}

const namesIn = (cells: readonly string[]) => new Set(cells.flatMap((cell) => cell.match(/(?<=`)[A-Z]\w+/g) ?? []));

describe('the runbook', () => {
  it('has a section for each alert, and no other section', () => {
    expect([...runbook.matchAll(/^### (.*)$/gm)].map(([, name]) => name)).toEqual(alerts);
  });

  it('contains the fix for every waiting reason, and no other reason', () => {
    const waitedFor = Object.values(FailureType).filter((failureType) =>
      [undefined, 403].some((status) => waitingReason({ failureType, status, message: '' })),
    );
    expect(namesIn(reasonsBelow('What an upload waits for'))).toEqual(new Set(waitedFor));
  });

  it('contains every status for which an upload waits', () => {
    const waitedFor = Array.from({ length: 300 }, (_, index) => 300 + index).filter(
      (status) => status >= 400 && waitingReason({ failureType: FailureType.ApiRejected, status, message: '' }),
    );
    const rejected = reasonsBelow('What an upload waits for').filter((cell) => cell.includes(FailureType.ApiRejected));
    expect(rejected.flatMap((cell) => cell.match(/\d{3}/g) ?? []).map(Number)).toEqual(
      expect.arrayContaining(waitedFor),
    );
  });

  it('contains the fix for every failure type', () => {
    expect(namesIn(reasonsBelow('What ends an upload'))).toEqual(new Set(Object.values(FailureType)));
  });

  it('links only to existing screenshots and pages', () => {
    const links = [...runbook.matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(new URL(path, docs)))).toEqual([]);
    expect(links.filter((path) => path.endsWith('.png')).length).toBeGreaterThan(0);
  });
});
