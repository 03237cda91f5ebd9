export const SCHEDULE_NAME_RULE =
  'must begin with a letter or digit and have at most 64 letters, digits, ".", "_" and "-"';

/** Names stand in ids, command lines and addresses of the UI. */
export function isScheduleName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}

/** Whether Temporal accepts the name of a time zone. */
export function isTimezone(name: string): boolean {
  // Offsets such as +02:00 are good enough for Intl, but Temporal takes names only.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
