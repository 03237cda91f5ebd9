import { Command, Help, type ErrorOptions, type Option, type ParseOptionsResult } from 'commander';
import { wrapText } from './text/wrap-text.ts';

/** Methods of Commander that report an error with a suggestion, and are missing in its declarations. */
interface Reporter {
  unknownOption(flag: string): never;
  unknownCommand(): never;
}

/** Options whose empty value removes a note or is the default. All other empty values come from a variable that is not set. */
const CAN_BE_EMPTY: ReadonlySet<string> = new Set(['--note', '--prefix']);

/**
 * Commander's command, with errors that name the mistyped argument. Commander reports `--purpse batch` as a missing
 * `--purpose`, reads `--json` in `--purpose --json` as the purpose, and only counts excess arguments.
 */
export class LonghaulCommand extends Command {
  constructor(name?: string) {
    super(name);
    this.allowExcessArguments();
    this.hook('preAction', (_, command) => {
      if (command !== this) return;
      this.#assertNoExcess();
      this.#assertNoEmpty();
    });
  }

  override createCommand(name?: string): LonghaulCommand {
    return new LonghaulCommand(name);
  }

  override createHelp(): Help {
    return Object.assign(new NarrowHelp(), this.configureHelp());
  }

  override parseOptions(args: string[]): ParseOptionsResult {
    if (this.commands.length > 0) {
      const result = super.parseOptions(args);
      this.#assertCommand(result.operands);
      return result;
    }
    this.#assertValues(args);
    const result = super.parseOptions(this.#withBoundValues(args));
    const [first] = result.unknown;
    if (first !== undefined && !result.unknown.some((text) => text === '--help' || text === '-h')) {
      this.#reportUnknown(first);
    }
    return result;
  }

  /** Replaces Commander's question "Did you mean …?" by a fix, and adds a fix to a message without one. */
  override error(message: string, options?: ErrorOptions): never {
    const [, problem = message, nearest] = /^(.*)\n\(Did you mean (.*)\?\)$/s.exec(message) ?? [];
    const help = `see "longhaul ${[...pathOf(this), '--help'].join(' ')}"`;
    if (nearest !== undefined) return super.error(`${problem}. Use ${nearest}, or ${help}.`, options);
    return super.error(message.endsWith('.') ? message : `${message}. ${capitalised(help)}.`, options);
  }

  #assertCommand([first = '', second]: readonly string[]): void {
    const names = this.commands.map((command) => command.name());
    if (first === 'help' && second !== undefined && !names.includes(second)) {
      this.args = [second];
      (this as unknown as Reporter).unknownCommand();
    }
    if (names.includes(first)) return;
    const group = this.commands.find(({ commands }) => commands.some((command) => command.name() === first));
    if (!group) return;
    this.error(`error: unknown command '${first}'\n(Did you mean ${group.name()} ${first}?)`, {
      code: 'commander.unknownCommand',
    });
  }

  #assertValues(args: readonly string[]): void {
    for (let index = 0; index < args.length && args[index] !== '--'; index++) {
      const text = args[index] as string;
      const option = this.#optionOf(text);
      if (!option?.required) continue;
      const isBound = text.includes('=');
      const value = isBound ? text.slice(text.indexOf('=') + 1) : args[++index];
      if (value === '' && !CAN_BE_EMPTY.has(option.long ?? '')) {
        this.error(`error: option '${option.flags}' argument is empty. Check the variable that contains it.`, {
          code: 'commander.emptyArgument',
        });
      }
      if (isBound || value === undefined || !this.#optionOf(value)) continue;
      this.error(
        `error: option '${option.flags}' argument missing: '${value}' is an option. To use it as the value, write ${option.long}=${value}.`,
        { code: 'commander.optionMissingArgument' },
      );
    }
  }

  /** An option with an optional value uses the next argument only if it is one of its choices. Otherwise its value is empty. */
  #withBoundValues(args: readonly string[]): string[] {
    const end = args.indexOf('--');
    return args.flatMap((text, index) => {
      if (end !== -1 && index >= end) return [text];
      const { optional, argChoices, long } = this.options.find((one) => one.long === text) ?? {};
      if (optional && argChoices) return argChoices.includes(args[index + 1] ?? '') ? [text] : [`${long}=`];
      return [text];
    });
  }

  #reportUnknown(flag: string): never {
    const known = this.#optionOf(flag) ?? this.#optionOf(`-${flag}`);
    if (known) {
      const problem = flag.startsWith('--') ? `option '${known.long}' has no value` : `unknown option '${flag}'`;
      this.error(`error: ${problem}\n(Did you mean ${known.long}?)`, { code: 'commander.unknownOption' });
    }
    // Without its value, which hides the nearest option.
    return (this as unknown as Reporter).unknownOption(flag.replace(/=.*$/s, ''));
  }

  #optionOf(flag: string): Option | undefined {
    const name = flag.replace(/=.*$/s, '');
    return this.options.find(({ long, short }) => long === name || short === name);
  }

  /** The value of a variable that is not set. In the work of a schedule, it can be the value of an option. */
  #assertNoEmpty(): void {
    if (!this.args.includes('') || this.registeredArguments.some((argument) => argument.name() === 'work')) return;
    this.error('error: an argument is empty. Check the variable that contains it.', {
      code: 'commander.emptyArgument',
    });
  }

  #assertNoExcess(): void {
    const { args, registeredArguments: expected } = this;
    if (expected.at(-1)?.variadic || args.length <= expected.length) return;
    const excess = args.slice(expected.length).map((text) => `'${text}'`);
    const names =
      excess.length > 3 ? `${excess.slice(0, 3).join(', ')} and ${excess.length - 3} more` : excess.join(', ');
    this.error(
      `error: too many arguments for '${this.name()}': ${names}. Expected ${expected.length}, got ${args.length}.`,
      { code: 'commander.excessArguments' },
    );
  }
}

/** Returns the words of a command, without the name of the program. The work of a schedule has no parent. */
function pathOf(command: Command): string[] {
  const name = command.name();
  if (command.parent) return [...pathOf(command.parent), name];
  return name === 'longhaul' ? [] : [name];
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

const DEFAULT_WIDTH = 80;
const LEAST_DESCRIPTION = 30;
const INDENT = 6;

/** Help in two columns as usual. On a narrow terminal, each description is below its term. */
class NarrowHelp extends Help {
  override formatItem(term: string, termWidth: number, description: string, helper: Help): string {
    const width = helper.helpWidth ?? DEFAULT_WIDTH;
    if (width - termWidth >= LEAST_DESCRIPTION + INDENT) {
      return super.formatItem(term, termWidth, description, helper);
    }
    const lines = description === '' ? [] : wrapText(description, width - INDENT).split('\n');
    return [`  ${term}`, ...lines.map((line) => `${' '.repeat(INDENT)}${line.trimStart()}`)].join('\n');
  }
}
