/**
 * A name in the form in which names are compared: NFC. macOS can store "é" as two code points (NFD), Linux stores what it
 * gets, and both are one name for a user. A path is opened in the form in which it is on the disk.
 */
export function nameKey(name: string): string {
  // ASCII has one form, and most names are ASCII.
  return ASCII.test(name) ? name : name.normalize('NFC');
}

// oxlint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

/** Whether two names are one name, whatever their forms. */
export function isSameName(a: string, b: string): boolean {
  return a === b || nameKey(a) === nameKey(b);
}
