import type { JobHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { SearchAttributes } from '../../src/contracts/search-attributes.ts';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import type { UploadStats } from '../../src/local-api/index.ts';
import { findBrowser, withPage } from '../support/browser.ts';
import { withStateDir } from '../support/state-dir.ts';
import { withSystem, type System } from '../support/system.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { TemporalUi, temporalUiSettings, type ListRow } from '../support/temporal-ui.ts';
import { picturesOf } from '../support/ui-pictures.ts';
import { until } from '../support/until.ts';
import { playUploadScene, SCENE, type UploadScene } from '../support/upload-scene.ts';

/** For all parts that the scene has in flight. */
const SLOTS = 64;

const browser = findBrowser();
const { state, reason, percent, bytes, bytesDone, filename } = SearchAttributes;

/** `npm run ui-pictures` sets it: the test then saves its screenshots there. */
const pictures = picturesOf(process.env['LONGHAUL_UI_PICTURES']);

/** A separate Temporal server, whose list contains only these uploads. */
function withScene(
  run: (scene: UploadScene, uiUrl: string, uploads: System['uploads']) => Promise<void>,
): Promise<void> {
  return withStateDir(async (stateDir) => {
    const temporal = await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0 });
    try {
      await withSystem(
        async (system) => {
          await system.startWorker({ transferSlots: SLOTS, heartbeatIntervalMs: 5000 });
          const scene = await playUploadScene(system);
          await run(scene, temporal.uiUrl, system.uploads);
          system.api.configure({ bandwidthBytesPerSecond: null });
          await Promise.all(scene.uploading.map((handle) => handle.result()));
        },
        { temporalAddress: temporal.address },
      );
    } finally {
      await temporal.release();
    }
  });
}

/** Exactly the bytes that the service counted. Only a running upload reports its progress in steps. */
function expectRows(rows: readonly ListRow[], counted: readonly UploadStats[]): void {
  const count = (name: string) => rows.filter((row) => row[state.name] === name).length;
  expect(Object.fromEntries(Object.keys(SCENE).map((name) => [name, count(name)]))).toEqual(SCENE);
  expect(rows).toEqual(rows.map((row) => expectedRow(row, counted)));
}

const reasons: Readonly<Record<string, string>> = { waiting: 'ApiRejected 403', failed: 'ApiRejected 422' };

function expectedRow(row: ListRow, counted: readonly UploadStats[]): ListRow {
  const name = row[state.name];
  const stats = counted.find((upload) => upload.filename === row[filename.name]);
  // The one that failed was rejected before it had an Upload.
  const total = stats?.bytes ?? Number(row[bytes.name]);
  const stored = stats?.bytesStored ?? 0;
  const done = name === 'uploading' ? Math.min(stored, Number(row[bytesDone.name])) : stored;
  return {
    ...row,
    [bytes.name]: String(total),
    [bytesDone.name]: String(done),
    [percent.name]: String(Math.floor((done / total) * 1000) / 10),
    [reason.name]: reasons[name ?? ''] ?? '',
  };
}

const first = (handles: readonly JobHandle<'upload'>[]) => handles[0] as JobHandle<'upload'>;

describe.skipIf(browser === undefined)(
  `Temporal UI in a browser${browser === undefined ? ' (skipped: no chromium on PATH)' : ''}`,
  () => {
    it(
      'shows state, progress and reason of fifty uploads in its list and on their pages, and controls them',
      () =>
        withScene(async (scene, uiUrl, uploads) => {
          const { origin } = new URL(uiUrl);
          const options = { executablePath: browser ?? '', localStorage: temporalUiSettings };
          const asked = await withPage(options, async (page) => {
            const ui = new TemporalUi(page, origin);
            expectRows(await ui.list('', 50), uploads());
            await pictures.take(page, 'list');

            const waiting = await ui.list(
              `${state.name}="waiting" AND ${reason.name}="ApiRejected 403"`,
              SCENE.waiting,
            );
            expect(waiting.map((row) => row[state.name])).toEqual(
              Array.from({ length: SCENE.waiting }, () => 'waiting'),
            );
            await ui.list(`${state.name}="paused" AND ${percent.name} < 100`, SCENE.paused);

            await ui.openUpload(first(scene.waiting).workflowId);
            await ui.seesEvent(/part 1\/4/);
            await pictures.take(page, 'waiting-timeline');
            await ui.details([/waiting/, /\d+%/, /of 4 parts/, /key has no permission \(403\)/]);
            await pictures.take(page, 'waiting');

            const running = first(scene.uploading);
            await ui.openUpload(running.workflowId);
            await ui.details([/uploading/, /\d+%/, /of 7 parts/, /at most 2 at a time/]);
            await pictures.take(page, 'uploading');
            await ui.sendUpdate('retune', '{"concurrency": 4}');
            expect(await running.status()).toMatchObject({ state: 'uploading', concurrency: 4 });

            const paused = first(scene.paused);
            await ui.openUpload(paused.workflowId);
            await ui.sendUpdate('resume');
            await until(async () => (await paused.status()).state === 'uploading', 'the paused upload to continue');
          });
          expect(asked).toEqual(new Set([origin]));
        }),
      240_000,
    );
  },
);
