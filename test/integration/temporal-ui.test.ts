import type { UploadHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { FailureType } from '../../src/contracts/failures.ts';
import { SearchAttributes } from '../../src/contracts/search-attributes.ts';
import { acquireEmbeddedTemporal } from '../../src/dev/embedded-temporal/embedded-temporal.ts';
import { findBrowser, withPage } from '../support/browser.ts';
import { withStateDir } from '../support/state-dir.ts';
import { withSystem } from '../support/system.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { TemporalUi, temporalUiSettings, type ListRow } from '../support/temporal-ui.ts';
import { picturesOf } from '../support/ui-pictures.ts';
import { until } from '../support/until.ts';
import { playUploadScene, SCENE, type SceneState, type UploadScene } from '../support/upload-scene.ts';

const browser = findBrowser();
const { state, reason, percent, bytes, bytesDone, filename } = SearchAttributes;

/** `npm run ui-pictures` sets it: the same test then leaves its pictures there. */
const pictures = picturesOf(process.env['LONGHAUL_UI_PICTURES']);

/** A Temporal server of its own, whose list holds these uploads and nothing else. */
function withScene(run: (scene: UploadScene, uiUrl: string) => Promise<void>): Promise<void> {
  return withStateDir(async (stateDir) => {
    const temporal = await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests });
    try {
      await withSystem(
        async (system) => {
          await system.startWorker({ transferSlots: SCENE.uploading * 2 });
          await run(await playUploadScene(system), temporal.uiUrl);
        },
        { temporalAddress: temporal.address },
      );
    } finally {
      await temporal.release();
    }
  });
}

async function expectRows(rows: readonly ListRow[], scene: UploadScene): Promise<void> {
  const tally = Object.fromEntries(
    Object.keys(SCENE).map((name) => [name, rows.filter((row) => row[state.name] === name).length]),
  );
  expect(tally).toEqual(SCENE);
  const shown = new Map(rows.map((row) => [row[filename.name], row]));
  for (const name of Object.keys(SCENE) as SceneState[]) {
    for (const handle of scene[name]) await expectRow(shown, name, handle);
  }
}

/** The list says of an upload what its own query says. */
async function expectRow(
  shown: ReadonlyMap<string | undefined, ListRow>,
  name: SceneState,
  handle: UploadHandle,
): Promise<void> {
  const progress = await handle.status();
  const row = shown.get(progress.filename);
  const failureType = name === 'waiting' || name === 'failed' ? FailureType.ApiRejected : '';
  expect(row).toMatchObject({ [state.name]: name, [reason.name]: failureType, [bytes.name]: String(progress.bytesTotal) });
  // Progress alone is told in steps of a twentieth; whoever is not under way has told all of it.
  const done = Number(row?.[bytesDone.name]);
  if (name === 'uploading') expect(done).toBeLessThanOrEqual(progress.bytesDone);
  else expect(done).toBe(progress.bytesDone);
  expect(Number(row?.[percent.name])).toBe(Math.floor((done / progress.bytesTotal) * 1000) / 10);
}

const first = (handles: readonly UploadHandle[]) => handles[0] as UploadHandle;

describe.skipIf(browser === undefined)(
  `Temporal UI in a browser${browser === undefined ? ' (skipped: no chromium on PATH)' : ''}`,
  () => {
    it('shows state, progress and reason of fifty uploads in its list and on their pages, and steers them', () =>
      withScene(async (scene, uiUrl) => {
        const { origin } = new URL(uiUrl);
        const options = { executablePath: browser ?? '', localStorage: temporalUiSettings, ...pictures.browserOptions };
        const asked = await withPage(options, async (page) => {
          const ui = new TemporalUi(page, origin);
          await expectRows(await ui.list('', 50), scene);
          await pictures.take(page, 'list');

          const waiting = await ui.list(`${state.name}="waiting" AND ${reason.name}="ApiRejected"`, SCENE.waiting);
          expect(waiting.map((row) => row[state.name])).toEqual(Array.from({ length: SCENE.waiting }, () => 'waiting'));
          await ui.list(`${state.name}="paused" AND ${percent.name} < 100`, SCENE.paused);
          await ui.list(`${state.name}="failed" AND ${reason.name} IS NOT NULL`, SCENE.failed);

          await ui.openUpload(first(scene.waiting).workflowId);
          await ui.seesEvent(/part 1\/3/);
          await pictures.take(page, 'waiting-timeline');
          await ui.details([/waiting/, /\d+ %/, /of 3 parts/, /key is not allowed.*403/]);
          await pictures.take(page, 'waiting');

          const running = first(scene.uploading);
          await ui.openUpload(running.workflowId);
          await ui.details([/uploading/, /\d+ %/, /of 8 parts/, /at most 2 at a time/]);
          await pictures.take(page, 'uploading');
          await ui.sendUpdate('retune', '{"concurrency": 1}');
          expect(await running.status()).toMatchObject({ state: 'uploading', concurrency: 1 });

          const paused = first(scene.paused);
          await ui.openUpload(paused.workflowId);
          await ui.details([/paused/]);
          await ui.sendUpdate('resume');
          await until(async () => (await paused.status()).state === 'uploading', 'the paused upload to go on');
        });
        expect(asked).toEqual(new Set([origin]));
      }));
  },
);
