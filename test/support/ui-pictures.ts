import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Takes pictures of a page, or does nothing. */
export interface Pictures {
  readonly take: (page: Page, name: string) => Promise<void>;
}

/** @param directory where the pictures go, made when missing; undefined: none are taken */
export function picturesOf(directory: string | undefined): Pictures {
  if (directory === undefined) return { take: async () => {} };
  return {
    take: async (page, name) => {
      await mkdir(directory, { recursive: true });
      await page.screenshot({ path: join(directory, `${name}.png`), animations: 'disabled' });
    },
  };
}
