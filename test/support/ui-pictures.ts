import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Takes screenshots of a page, or does nothing. */
export interface Pictures {
  readonly take: (page: Page, name: string) => Promise<void>;
}

/** @param directory for the screenshots, created if missing; undefined for no screenshots */
export function picturesOf(directory: string | undefined): Pictures {
  if (directory === undefined) return { take: async () => {} };
  return {
    take: async (page, name) => {
      await mkdir(directory, { recursive: true });
      await page.screenshot({ path: join(directory, `${name}.png`), animations: 'disabled' });
    },
  };
}
