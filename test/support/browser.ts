import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const SLOWEST_ANSWER_MS = 60_000;

/** Path of a browser on `PATH`; undefined without a browser. */
export function findBrowser(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  return NAMES.flatMap((name) => directories.map((directory) => join(directory, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface BrowserOptions {
  readonly executablePath: string;
  /** Pixels. @defaultValue 1280 × 860 */
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Content of the browser's local storage when a page loads. @defaultValue nothing */
  readonly localStorage?: Readonly<Record<string, string>>;
}

/** What of a page's own global scope is used here. */
interface PageScope {
  readonly localStorage: { setItem(key: string, value: string): void };
}

/**
 * A page of a real browser without a window, with a temporary profile.
 *
 * @returns the origins to which the page sent requests
 */
export async function withPage(
  { executablePath, viewport = { width: 1280, height: 860 }, localStorage = {} }: BrowserOptions,
  run: (page: Page) => Promise<void>,
): Promise<ReadonlySet<string>> {
  const origins = new Set<string>();
  const browser = await chromium.launch({
    executablePath,
    // Root may not use the sandbox, and the browser's own errands would leave this machine.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    timeout: SLOWEST_ANSWER_MS,
  });
  try {
    const page = await browser.newPage({ viewport, locale: 'en-US', timezoneId: 'UTC' });
    page.setDefaultTimeout(SLOWEST_ANSWER_MS);
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (/^(https?|wss?):$/.test(protocol)) origins.add(origin);
    });
    await page.addInitScript((entries) => {
      const { localStorage: storage } = globalThis as unknown as PageScope;
      for (const [key, value] of entries) storage.setItem(key, value);
    }, Object.entries(localStorage));
    await run(page);
  } finally {
    await browser.close();
  }
  return origins;
}
