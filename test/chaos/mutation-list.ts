import type { Mutation } from '../support/mutant.ts';

/** Safeguards whose removal the short chaos suite must detect. */
export const mutations: readonly Mutation[] = [
  {
    safeguard: 'the search for the File of a completion whose response was lost',
    file: 'activities/completion/find-completed-file.ts',
    from: 'if (possible[0]) return',
    to: 'if (possible[0] && (false as boolean)) return',
  },
  {
    safeguard: 'the comparison of the fingerprint',
    file: 'src/sources/source-reader.ts',
    from: 'if (isExpected(now.fingerprint, fingerprint)) return now;',
    to: 'if (isExpected(now.fingerprint, fingerprint) || (true as boolean)) return now;',
  },
  {
    safeguard: 'the cancellation of the session of an abandoned upload',
    file: 'workflows/shell/define-workflow.ts',
    from: "await run.abandon(isCancellation(failure) ? 'cancelled' : 'failed', reasonOfFailure(failure));",
    to: 'undefined as Result | undefined;',
  },
  {
    safeguard: 'the second buffer of a part',
    file: 'src/destinations/http/multipart-part.ts',
    from: 'let next = pool.take();',
    to: 'let next = current;',
  },
];
