import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

const WIDTH_PX = 1280;

/** Takes pictures of a page, or does nothing. */
export interface Pictures {
  /** @param heightPx of the window for this picture */
  readonly take: (page: Page, name: string, heightPx?: number) => Promise<void>;
}

/** @param directory where the pictures go, made when missing; undefined: none are taken */
export function picturesOf(directory: string | undefined): Pictures {
  if (directory === undefined) return { take: async () => {} };
  return {
    take: async (page, name, heightPx = 860) => {
      await mkdir(directory, { recursive: true });
      const before = page.viewportSize();
      await page.setViewportSize({ width: WIDTH_PX, height: heightPx });
      await page.screenshot({ path: join(directory, `${name}.png`), animations: 'disabled' });
      if (before !== null) await page.setViewportSize(before);
    },
  };
}
