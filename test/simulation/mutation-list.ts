import type { Mutation } from '../support/mutant.ts';

interface SimulationMutation extends Mutation {
  /** @defaultValue uploads show the loss */
  readonly kind?: 'split' | 'sync' | 'forged';
}

/** Safeguards whose loss the simulation must detect. */
export const mutations: readonly SimulationMutation[] = [
  {
    safeguard: 'parts are completed in the order of the file, not of their arrival',
    file: 'src/core/upload/ledger.ts',
    from: '    });\n  }\n\n  toJSON(): (string | null)[] {',
    to: '    }).sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));\n  }\n\n  toJSON(): (string | null)[] {',
  },
  {
    safeguard: 'a replaced session is cancelled',
    file: 'workflows/upload/sessions.ts',
    from: 'const file = await this.cancel(md5);',
    to: 'const file = undefined as UploadedFile | undefined;',
  },
  {
    safeguard: 'the session of an upload that ends is cancelled',
    file: 'workflows/upload/run.ts',
    from: 'const file = await this.#sessions.cancel(this.#hash.md5);',
    to: 'const file = undefined as UploadedFile | undefined;',
  },
  {
    safeguard: 'a completion without a response is looked up',
    file: 'activities/complete-upload.ts',
    from: 'if (mayBeCompleted) {',
    to: 'if (false as boolean) {',
  },
  {
    safeguard: 'the next attempts of a completion receive that it can be completed',
    file: 'workflows/upload/sessions.ts',
    from: 'this.#mayBeCompleted ||= !isNotDone(error);',
    to: 'void isNotDone;',
  },
  {
    safeguard: 'an inconclusive probe is repeated',
    file: 'workflows/shell/waiting.ts',
    from: 'if (isProbe && !isWaiting && this.#info !== undefined) this.#mayProbe = true;',
    to: 'void isProbe;\n      void isWaiting;',
  },
  {
    safeguard: 'the next execution waits for what this one waited for',
    file: 'workflows/upload/waits.ts',
    from: 'waiting: part ?? null,\n      otherWaits',
    to: 'waiting: null,\n      otherWaits',
  },
  {
    safeguard: 'the next execution has the recorded parts',
    file: 'workflows/upload/open-session.ts',
    from: 'partIds: this.ledger.toJSON(),',
    to: 'partIds: this.ledger.toJSON().map(() => null),',
  },
  {
    safeguard: 'the next execution has the SHA-256',
    file: 'workflows/upload/source-hash.ts',
    from: '[this.#md5, this.#sha256, this.#warnings];',
    to: '[this.#md5, undefined, this.#warnings];',
  },
  {
    safeguard: 'a session is cancelled or replaced after its last part has ended',
    file: 'workflows/upload/part-window.ts',
    from: 'if (this.#running.size > 0) await CancellationScope.nonCancellable(() => condition(() => this.#running.size === 0));',
    to: '',
  },
  {
    safeguard: 'no part starts during a pause',
    file: 'workflows/upload/parts.ts',
    from: 'mayStart: () => !isPaused() && ',
    to: 'mayStart: () => ',
  },
  {
    safeguard: 'a part that was stopped may have arrived',
    file: 'workflows/upload/open-session.ts',
    from: '  noteStoppedPart(): void {\n    this.resent = true;',
    to: '  noteStoppedPart(): void {',
  },
  {
    safeguard: 'a file that a later list of a sync does not contain is reported',
    kind: 'sync',
    file: 'workflows/sync/plans.ts',
    from: 'if (batch.relisted) this.#tally.relisted(batch.relisted);',
    to: '',
  },
  {
    safeguard: 'a batch of small files that was paused waits for the end of the pause',
    kind: 'sync',
    file: 'workflows/fleet/small-batch.ts',
    from: 'do await condition(() => !isPaused());\n    while (isPaused());',
    to: '',
  },
  {
    safeguard: 'a small file that can be completed is settled before it is sent again',
    kind: 'sync',
    file: 'activities/send-batch.ts',
    from: 'const settles = inDoubt || file.onlySettle;',
    to: 'const settles = file.onlySettle;',
  },
  {
    safeguard: 'the sessions of small files that are given up are ended',
    kind: 'sync',
    file: 'workflows/fleet/batch-files.ts',
    from: 'opened.length > 0 && opened.length < before;',
    to: 'opened.length < 0 && opened.length < before;',
  },
  {
    safeguard: 'all calls of an upload share its retry period',
    file: 'workflows/shell/retry-period.ts',
    from: 'return Math.min(...starts, this.#completionSinceMs ?? Infinity, Date.now());',
    to: 'return Math.max(...starts, Date.now());',
  },
  {
    safeguard: 'the results of activities have their shape',
    kind: 'forged',
    file: 'workflows/shell/results.ts',
    from: 'if (resultShapes[name](value) && isExpected(value)) return value;',
    to: 'void resultShapes;\n  if (isExpected(value)) return value;',
  },
  {
    safeguard: 'a File has the size of the source',
    kind: 'forged',
    file: 'workflows/upload/calls.ts',
    from: 'bytes === ledger.plan.sizeBytes);',
    to: 'bytes === ledger.plan.sizeBytes || true);',
  },
];
