import { partRange, type PartPlan } from './plan.ts';

/**
 * Stores which parts of a session are recorded, in flight and still to be sent. A part is complete when its ID is
 * recorded here. A replay of the workflow's history rebuilds it.
 */
export class PartLedger {
  readonly plan: PartPlan;
  #partIds: (string | null)[];
  #neverTaken = 1;
  #givenBack: number[] = [];
  #out = 0;
  #done = 0;
  #bytesDone = 0;

  /** @param partIds IDs by part number, null for a part that is still to be sent */
  constructor(plan: PartPlan, partIds?: readonly (string | null)[]) {
    this.plan = plan;
    this.#partIds = Array.from({ length: plan.partCount }, () => null);
    partIds?.forEach((partId, index) => {
      if (partId !== null) this.#set(index + 1, partId);
    });
  }

  get done(): number {
    return this.#done;
  }

  get bytesDone(): number {
    return this.#bytesDone;
  }

  /** Parts that were taken, and neither recorded nor returned. */
  get out(): number {
    return this.#out;
  }

  get complete(): boolean {
    return this.#done === this.plan.partCount;
  }

  get hasNext(): boolean {
    return this.#peek() !== undefined;
  }

  /** Takes the lowest part that is to be sent. */
  take(): number | undefined {
    const partNumber = this.#peek();
    if (partNumber === undefined) return undefined;
    if (this.#givenBack[0] === partNumber) this.#givenBack.shift();
    else this.#neverTaken = partNumber + 1;
    this.#out++;
    return partNumber;
  }

  record(partNumber: number, partId: string): void {
    this.#out--;
    this.#set(partNumber, partId);
  }

  /** Returns a part that was not sent. */
  giveBack(partNumber: number): void {
    this.#out--;
    this.#givenBack.push(partNumber);
    this.#givenBack.sort((a, b) => a - b);
  }

  /** IDs in the order of the file. @throws Error if a part is missing */
  orderedPartIds(): string[] {
    return this.#partIds.map((partId, index) => {
      if (partId === null) throw new Error(`part ${index + 1} has no ID yet`);
      return partId;
    });
  }

  toJSON(): (string | null)[] {
    return [...this.#partIds];
  }

  #peek(): number | undefined {
    const returned = this.#givenBack[0];
    if (returned !== undefined) return returned;
    while (this.#neverTaken <= this.plan.partCount && this.#partIds[this.#neverTaken - 1] !== null) this.#neverTaken++;
    return this.#neverTaken <= this.plan.partCount ? this.#neverTaken : undefined;
  }

  #set(partNumber: number, partId: string): void {
    this.#partIds[partNumber - 1] = partId;
    this.#done++;
    this.#bytesDone += partRange(this.plan, partNumber).sizeBytes;
  }
}
