import { SteeringRefusedError } from 'longhaul/errors';
import type { JobHandle } from 'longhaul';
import type { ChaosProxy } from '../support/chaos-proxy.ts';
import type { Api, Fleet } from './actors.ts';
import type { Deed } from './plan.ts';
import type { ChaosSource } from './sources.ts';

/** Objects of the actions. */
export interface Stage {
  readonly source: ChaosSource;
  readonly api: Api;
  readonly fleet: Fleet;
  readonly proxy: ChaosProxy;
  readonly handle: JobHandle<'upload'>;
  readonly killTemporal: () => void;
  /** Waits; ends early when the run is over. */
  readonly wait: (ms: number) => Promise<void>;
  readonly isOver: () => boolean;
}

/** A completed action. */
export interface Done {
  readonly deed: Deed;
  readonly atMs: number;
  endMs: number;
  /** Whether there was anything to meet. Of a fault on demand: whether it struck. */
  hit: boolean;
  /** Maximum number of its effects: aborted attempts are repeated while it lasts. */
  strikes: number;
  /** Of a fault on demand. */
  faultId?: string;
}

/** Runs an action and reverts it, and fills in `done`. */
export async function perform(stage: Stage, done: Done): Promise<void> {
  const { api, fleet, proxy, handle, source, wait } = stage;
  const { deed } = done;
  switch (deed.kind) {
    case 'kill-worker':
      done.hit = await fleet.killAndRestart([deed.worker], () => wait(deed.downMs));
      break;
    case 'kill-all-workers':
      done.hit = await fleet.killAndRestart(fleet.places, () => wait(deed.downMs));
      done.strikes = fleet.places.length;
      break;
    case 'freeze-worker':
      done.hit = await fleet.freeze(deed.worker, () => wait(deed.forMs));
      break;
    case 'stop-worker':
      done.hit = await fleet.replace(deed.worker, () => wait(deed.downMs));
      break;
    case 'kill-api':
      if (!(await api.kill())) break;
      await wait(deed.downMs);
      await api.start();
      done.hit = true;
      done.strikes = repeats(Date.now() - done.atMs);
      break;
    case 'kill-temporal':
      stage.killTemporal();
      done.hit = true;
      break;
    case 'net-reset':
      done.hit = proxy.reset(deed.scope);
      break;
    case 'net-stall':
      done.hit = await proxy.stall(deed.scope, deed.forMs);
      done.strikes = repeats(deed.forMs);
      break;
    case 'net-black-hole':
      done.hit = await proxy.blackHole(deed.scope, deed.forMs);
      done.strikes = repeats(deed.forMs);
      break;
    case 'net-throttle':
      done.hit = await proxy.throttle(deed.scope, deed.bytesPerSecond, deed.forMs);
      done.strikes = repeats(deed.forMs);
      break;
    case 'net-refuse':
      done.hit = await proxy.refuse(deed.forMs);
      done.strikes = repeats(deed.forMs);
      break;
    case 'api-fault':
      done.faultId = await api.addFault(deed.fault);
      break;
    case 'cancel-session':
      done.hit = await api.endSession('cancel');
      break;
    case 'expire-session':
      done.hit = await api.endSession('expire');
      break;
    case 'cancel-upload':
      await handle.cancel();
      done.hit = true;
      break;
    case 'edit-source':
      await source.edit(deed.edit);
      done.hit = true;
      break;
    case 'hide-source': {
      done.hit = true;
      const putBack = await source.hide();
      await wait(deed.forMs);
      await putBack();
      break;
    }
    case 'pause':
      done.hit = true;
      try {
        await handle.pause({ parts: deed.parts });
        await wait(deed.forMs);
      } finally {
        await resume(stage);
      }
      break;
    case 'retune':
      await handle.retune({ concurrency: deed.concurrency });
      done.hit = true;
      break;
  }
  done.endMs = Date.now();
}

/** An attempt that fails immediately is repeated after 1 s. */
function repeats(durationMs: number): number {
  return 1 + Math.ceil(durationMs / 1000);
}

/** A requested pause can be in effect although its response was lost. */
async function resume({ handle, isOver, wait }: Stage): Promise<void> {
  for (;;) {
    try {
      await handle.resume();
      return;
    } catch (error) {
      if (isOver() || error instanceof SteeringRefusedError) return;
      await wait(300);
    }
  }
}
