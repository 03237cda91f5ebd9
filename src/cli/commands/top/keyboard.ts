const CTRL_C = '\u0003';

/**
 * Reports each key press. A terminal in raw mode sends no signal at Ctrl-C, so this is reported as `ctrl-c`.
 *
 * @returns a function that stops reading keys
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
