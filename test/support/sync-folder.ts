import type { SyncDecision } from 'longhaul/types';
import type { SyncOptions, SyncResult } from 'longhaul';
import { KEY, type System } from './system.ts';

/** Creates small files with different contents: `many/0000.jsonl` … */
export function manyFiles(count: number, mark = ''): Record<string, string> {
  const numbers = Array.from({ length: count }, (_, index) => String(index).padStart(4, '0'));
  return Object.fromEntries(numbers.map((number) => [`many/${number}.jsonl`, `{"number":"${number}${mark}"}\n`]));
}

/** Runs a sync, and returns its result with its requests to the API. */
export async function runSync(
  { client, api }: System,
  options: SyncOptions,
): Promise<SyncResult & { readonly requests: number }> {
  // A download of the test's own may be counted a moment after it has ended.
  const count = () => {
    const { content: _content, ...routes } = api.stats().requests;
    return Object.values(routes)
      .flatMap((byStatus) => Object.values(byStatus))
      .reduce((sum, one) => sum + one, 0);
  };
  const before = count();
  const handle = await client.sync(options);
  const result = await handle.result();
  return { ...result, requests: count() - before };
}

/** The Files that the service has, as name → ids. */
export async function filesAt({ api }: System): Promise<Map<string, string[]>> {
  const answer = await fetch(`${api.url}/files`, { headers: { authorization: `Bearer ${KEY}` } });
  const { data } = (await answer.json()) as { data: { id: string; filename: string }[] };
  const files = new Map<string, string[]>();
  for (const { id, filename } of data) files.set(filename, [...(files.get(filename) ?? []), id]);
  return files;
}

/** What is not the same, as `action why path`. */
export function decisionLines(decisions: readonly SyncDecision[] | undefined): string[] {
  return (decisions ?? [])
    .filter(({ why }) => why !== 'same')
    .map(({ action, why, path }) => `${action} ${why} ${path}`);
}
