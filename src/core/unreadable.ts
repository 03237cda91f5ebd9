/** Stands for what a caller sent in a form that can't be read: encrypted, or no JSON. */
export class Unreadable {
  /** As the payload's metadata has it. */
  readonly encoding: string;

  constructor(encoding: string) {
    this.encoding = encoding;
  }
}
