import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { BrowserOptions } from './browser.ts';

/** Takes pictures of a page, or does nothing. */
export interface Pictures {
  readonly browserOptions: Pick<BrowserOptions, 'viewport'>;
  readonly take: (page: Page, name: string) => Promise<void>;
}

/** @param directory where the pictures go, made when missing; undefined: none are taken */
export function picturesOf(directory: string | undefined): Pictures {
  if (directory === undefined) return { browserOptions: {}, take: async () => {} };
  return {
    browserOptions: { viewport: { width: 1280, height: 900 } },
    take: async (page, name) => {
      await mkdir(directory, { recursive: true });
      await page.screenshot({ path: join(directory, `${name}.png`), animations: 'disabled' });
    },
  };
}
