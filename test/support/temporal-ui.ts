import type { Page } from 'playwright-core';
import { SearchAttributes } from '../../src/contracts/search-attributes.ts';
import { until } from './until.ts';

const NAMESPACE = 'default';

/** Columns of the list. Temporal UI stores the selection of columns in the browser, by namespace. */
const COLUMNS = [
  'Status',
  SearchAttributes.filename.name,
  SearchAttributes.state.name,
  SearchAttributes.percent.name,
  SearchAttributes.reason.name,
  SearchAttributes.bytesDone.name,
  SearchAttributes.bytes.name,
];

/** The local storage in which Temporal UI finds its columns, and its navigation folded up. */
export const temporalUiSettings = {
  'namespace-workflow-table-columns': JSON.stringify({ [NAMESPACE]: COLUMNS.map((label) => ({ label })) }),
  navOpen: 'false',
} as const;

/** A row of the list: the text in each column. */
export type ListRow = Readonly<Record<string, string>>;

/** Temporal UI as a person uses it: found by what is written on it and by roles, never by its markup. */
export class TemporalUi {
  readonly #page: Page;
  readonly #origin: string;

  constructor(page: Page, origin: string) {
    this.#page = page;
    this.#origin = origin;
  }

  /** Waits until the list of a query shows a number of workflows. @param query empty for all */
  async list(query: string, count: number): Promise<readonly ListRow[]> {
    const parameter = query === '' ? '' : `?query=${encodeURIComponent(query)}`;
    await this.#page.goto(`${this.#origin}/namespaces/${NAMESPACE}/workflows${parameter}`);
    const heading = new RegExp(`^\\s*${count} Workflows?\\s*$`);
    await this.#page.getByRole('heading', { level: 1 }).getByText(heading).waitFor();
    let rows = await this.#rows();
    await until(async () => (rows = await this.#rows()).length === count, `${count} rows in the list`);
    return rows;
  }

  async openUpload(workflowId: string): Promise<void> {
    await this.#page.goto(`${this.#origin}/namespaces/${NAMESPACE}/workflows/${encodeURIComponent(workflowId)}`);
    await this.#page.getByRole('heading', { level: 1, name: workflowId }).waitFor();
  }

  async openTab(name: string): Promise<void> {
    await this.#page.getByRole('tab', { name }).click();
  }

  /** The current details of the open upload, as text, when they hold all of that. */
  async details(wanted: readonly RegExp[]): Promise<string> {
    await this.openTab('User Metadata');
    await this.#page.getByRole('heading', { name: 'Current Details' }).waitFor();
    let text = '';
    await until(
      async () => {
        // The details of the workflow are in a separate frame, the last one.
        const body = this.#page.frameLocator('iframe').last().locator('body');
        text = await body.innerText({ timeout: 1000 }).catch(() => '');
        return wanted.every((pattern) => pattern.test(text));
      },
      () => `details with ${wanted.join(', ')}, and not only: ${text.replace(/\s+/g, ' ')}`,
    );
    return text;
  }

  /** Waits until the open tab shows an event of that summary. */
  async seesEvent(summary: RegExp): Promise<void> {
    await this.#page.getByRole('main').getByText(summary).first().waitFor();
  }

  /** Sends an update to the open upload by the form that is there for it. */
  async sendUpdate(name: string, input?: string): Promise<void> {
    await this.#page.getByRole('button', { name: 'More Actions' }).click();
    await this.#page.getByRole('menuitem', { name: 'Send an Update' }).click();
    const form = this.#page.getByRole('dialog', { name: 'Send an Update' });
    await form.getByRole('button', { name: 'Select an Update' }).click();
    await this.#page.getByRole('option', { name }).click();
    if (input !== undefined) await form.getByRole('textbox', { name: 'Data' }).fill(input);
    await form.getByRole('button', { name: 'Submit' }).click();
    await this.#page.getByText('Update successful').first().waitFor();
  }

  async #rows(): Promise<readonly ListRow[]> {
    const table = this.#page.getByRole('table');
    const head = await table.getByRole('columnheader').allTextContents();
    const cells = await table.getByRole('cell').allTextContents();
    return Array.from({ length: cells.length / head.length }, (_, row) =>
      Object.fromEntries(head.map((title, column) => [title.trim(), (cells[row * head.length + column] ?? '').trim()])),
    );
  }
}
