import type { Mutation } from '../support/mutant.ts';

export const mutations: readonly Mutation[] = [
  {
    safeguard: 'a completion whose response was lost is looked up',
    file: 'activities/completion/find-completed-file.ts',
    from: 'if (possible[0]) return',
    to: 'if (possible[0] && (false as boolean)) return',
  },
  {
    safeguard: "the source's fingerprint is compared",
    file: 'src/sources/source-reader.ts',
    from: 'if (isExpected(now.fingerprint, fingerprint)) return now;',
    to: 'if (isExpected(now.fingerprint, fingerprint) || (true as boolean)) return now;',
  },
  {
    safeguard: 'the session of an upload that ended is cancelled',
    file: 'workflows/shell/define-workflow.ts',
    from: "await run.abandon(isCancellation(failure) ? 'cancelled' : 'failed', reasonOfFailure(failure));",
    to: 'undefined as Result | undefined;',
  },
  {
    safeguard: 'a buffer is not filled while the socket still sends from it',
    file: 'src/destinations/http/multipart-part.ts',
    from: 'let next = pool.take();',
    to: 'let next = current;',
  },
];
