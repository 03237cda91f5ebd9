import { Help } from 'commander';
import { wrapText } from './wrap-text.ts';

const DEFAULT_WIDTH = 80;
const LEAST_DESCRIPTION = 30;
const INDENT = 6;

/** Help in two columns as usual. On a narrow terminal, each description is below its term. */
export class NarrowHelp extends Help {
  override formatItem(term: string, termWidth: number, description: string, helper: Help): string {
    const width = helper.helpWidth ?? DEFAULT_WIDTH;
    if (width - termWidth >= LEAST_DESCRIPTION + INDENT) {
      return super.formatItem(term, termWidth, description, helper);
    }
    const lines = description === '' ? [] : wrapText(description, width - INDENT).split('\n');
    return [`  ${term}`, ...lines.map((line) => `${' '.repeat(INDENT)}${line.trimStart()}`)].join('\n');
  }
}
