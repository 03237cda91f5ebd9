import { isPlainObject } from '../payload.ts';
import { hex, isSeconds, isText, oneOf, orNull, shaped, type Is } from './checks.ts';
import { fileFailure, leftFile, session } from './parts.ts';

const sent = shaped({ fileId: isText, createdAt: isSeconds, md5: orNull(hex(32)) });

/** An `OpenOutcome`. */
export const openOutcome = tagged({ session, failure: fileFailure, left: oneOf(true) });

/** A `SendOutcome`. */
export const fileOutcome = tagged({ sent, left: leftFile, failure: fileFailure });

/** An object with one of these properties, of which the first counts. */
function tagged(shapes: Readonly<Record<string, Is>>): Is {
  return (value) => {
    if (!isPlainObject(value)) return false;
    const [name, is] = Object.entries(shapes).find(([property]) => property in value) ?? [];
    return name !== undefined && is?.(value[name]) === true;
  };
}
