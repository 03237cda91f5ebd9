import { createLogUpdate } from 'log-update';
import { printable } from '../../core/text/printable.ts';
import { terminalWidth, wrapText } from './wrap-text.ts';

/** Whether lines can be written over there: a terminal whose size nobody has set can't. */
export function isLiveTerminal(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && stream.columns > 0 && stream.rows > 0;
}

/** Lines on a terminal that are written over in place. The cursor is hidden until `close`, or until the process ends. */
export class LiveScreen {
  readonly #stream: NodeJS.WriteStream;
  readonly #write: ReturnType<typeof createLogUpdate>;
  readonly #onResize: () => void;
  #lines: () => readonly string[] = () => [];

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#write = createLogUpdate(stream);
    this.#onResize = () => {
      this.#write.clear();
      this.#draw();
    };
    stream.on('resize', this.#onResize);
  }

  get columns(): number {
    return this.#stream.columns;
  }

  get rows(): number {
    return this.#stream.rows;
  }

  /** @param lines made once more when the terminal's size changes */
  show(lines: () => readonly string[]): void {
    this.#lines = lines;
    this.#draw();
  }

  /** What was shown last stays. */
  close(): void {
    this.#stream.off('resize', this.#onResize);
    this.#write.done();
  }

  #draw(): void {
    this.#write(
      this.#lines()
        .map((line) => wrapText(printable(line), terminalWidth(this.#stream)))
        .join('\n'),
    );
  }
}
