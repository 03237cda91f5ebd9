import type { Mutation } from '../support/mutant.ts';

interface SimulationMutation extends Mutation {
  /** Kind of the plans that show the removal. @defaultValue uploads */
  readonly kind?: 'split' | 'sync' | 'forged';
}

/** Safeguards whose removal the simulation must detect. */
export const mutations: readonly SimulationMutation[] = [
  {
    safeguard: 'the order of the part IDs by their position in the file',
    file: 'src/core/upload/ledger.ts',
    from: '    });\n  }\n\n  toJSON(): (string | null)[] {',
    to: '    }).sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));\n  }\n\n  toJSON(): (string | null)[] {',
  },
  {
    safeguard: 'the cancellation of a replaced session',
    file: 'workflows/upload/sessions.ts',
    from: 'const file = await this.cancel(md5);',
    to: 'const file = undefined as UploadedFile | undefined;',
  },
  {
    safeguard: 'the cancellation of the session of an abandoned upload',
    file: 'workflows/upload/run.ts',
    from: 'const file = await this.#sessions.cancel(this.#hash.md5);',
    to: 'const file = undefined as UploadedFile | undefined;',
  },
  {
    safeguard: 'the search for the File of a completion without a response',
    file: 'activities/complete-upload.ts',
    from: 'if (mayBeCompleted) {',
    to: 'if (false as boolean) {',
  },
  {
    safeguard: 'the record that an earlier attempt can have completed the Upload',
    file: 'workflows/upload/sessions.ts',
    from: 'this.#mayBeCompleted ||= !isNotDone(error);',
    to: 'void isNotDone;',
  },
  {
    safeguard: 'the repetition of an inconclusive probe',
    file: 'workflows/shell/waiting.ts',
    from: 'if (isProbe && !isWaiting && this.#info !== undefined) this.#mayProbe = true;',
    to: 'void isProbe;\n      void isWaiting;',
  },
  {
    safeguard: 'the waiting reason in the input of the next execution',
    file: 'workflows/upload/waits.ts',
    from: 'waiting: part ?? null,\n      otherWaits',
    to: 'waiting: null,\n      otherWaits',
  },
  {
    safeguard: 'the recorded parts in the input of the next execution',
    file: 'workflows/upload/open-session.ts',
    from: 'partIds: this.ledger.toJSON(),',
    to: 'partIds: this.ledger.toJSON().map(() => null),',
  },
  {
    safeguard: 'the SHA-256 in the input of the next execution',
    file: 'workflows/upload/source-hash.ts',
    from: '[this.#md5, this.#sha256, this.#warnings];',
    to: '[this.#md5, undefined, this.#warnings];',
  },
  {
    safeguard: 'the wait for the parts in flight before a session is cancelled or replaced',
    file: 'workflows/upload/part-window.ts',
    from: 'if (this.#running.size > 0) await CancellationScope.nonCancellable(() => condition(() => this.#running.size === 0));',
    to: '',
  },
  {
    safeguard: 'the check for a pause before a part starts',
    file: 'workflows/upload/parts.ts',
    from: 'mayStart: () => !isPaused() && ',
    to: 'mayStart: () => ',
  },
  {
    safeguard: 'the record that a stopped part can have arrived',
    file: 'workflows/upload/open-session.ts',
    from: '  noteStoppedPart(): void {\n    this.resent = true;',
    to: '  noteStoppedPart(): void {',
  },
  {
    safeguard: 'the report of a file that is missing in a later list of a sync',
    kind: 'sync',
    file: 'workflows/sync/plans.ts',
    from: 'if (batch.relisted) this.#tally.relisted(batch.relisted);',
    to: '',
  },
  {
    safeguard: 'the wait of a batch of small files for the end of a pause',
    kind: 'sync',
    file: 'workflows/fleet/small-batch.ts',
    from: 'do await condition(() => !isPaused());\n    while (isPaused());',
    to: '',
  },
  {
    safeguard: 'the search for the File of a small file before it is resent',
    kind: 'sync',
    file: 'activities/send-batch.ts',
    from: 'const settles = inDoubt || file.onlySettle;',
    to: 'const settles = file.onlySettle;',
  },
  {
    safeguard: 'the cancellation of the sessions of abandoned small files',
    kind: 'sync',
    file: 'workflows/fleet/batch-files.ts',
    from: 'opened.length > 0 && opened.length < before;',
    to: 'opened.length < 0 && opened.length < before;',
  },
  {
    safeguard: 'the common retry period of all calls of an upload',
    file: 'workflows/shell/retry-period.ts',
    from: 'return Math.min(...starts, this.#completionSinceMs ?? Infinity, Date.now());',
    to: 'return Math.max(...starts, Date.now());',
  },
  {
    safeguard: 'the check of the shape of activity results',
    kind: 'forged',
    file: 'workflows/shell/results.ts',
    from: 'if (resultShapes[name](value) && isExpected(value)) return value;',
    to: 'void resultShapes;\n  if (isExpected(value)) return value;',
  },
  {
    safeguard: 'the check that a File has the size of the source',
    kind: 'forged',
    file: 'workflows/upload/calls.ts',
    from: 'bytes === ledger.plan.sizeBytes);',
    to: 'bytes === ledger.plan.sizeBytes || true);',
  },
];
