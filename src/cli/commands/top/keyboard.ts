const CTRL_C = '\u0003';

/**
 * Hands single keys over as they are pressed. A terminal in raw mode makes no signal of Ctrl-C, so it comes as `ctrl-c`.
 *
 * @returns what gives the keyboard back
 */
export function listenToKeys(stdin: NodeJS.ReadStream, onKey: (key: string) => void): () => void {
  if (!stdin.isTTY) return () => {};
  const onData = (data: Buffer) => {
    for (const key of data.toString()) onKey(key === CTRL_C ? 'ctrl-c' : key);
  };
  stdin.setRawMode(true);
  stdin.on('data', onData);
  return () => {
    stdin.off('data', onData);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
