/** Columns of a terminal; undefined where lines may be as long as they get, as in a pipe. */
export function terminalWidth({ isTTY, columns }: NodeJS.WriteStream): number | undefined {
  // A terminal whose size nobody has set says 0.
  return isTTY && columns > 0 ? columns : undefined;
}
