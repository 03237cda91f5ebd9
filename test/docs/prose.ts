/** Code, targets of links and comments of Markdown, which are not prose. */
const markdownCode = /^ *(`{3,})[^]*?^ *\1|`[^`\n]*`|\]\([^)]*\)|<!--[^]*?-->/gm;

/** Comments, strings and regular expressions, and the characters at which templates and their expressions start and end. */
const token =
  /(\/\/.*|\/\*[^]*?\*\/)|('(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*")|((?<=(?:^|[(,=:[!&|?{};+]|=>|\breturn|\bcase)\s*)\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/)|[`{}]/gm;

/** The text up to the end of a template, or up to its next expression. */
const templateText = /(?:[^`\\$]|\\[^]|\$(?!\{))*/y;

/** Returns a text of the same length that has spaces instead of all code. */
export function proseOf(path: string, text: string): string {
  if (path.endsWith('.md')) return text.replaceAll(markdownCode, blank);
  return path.endsWith('.ts') ? proseOfTypeScript(text) : text;
}

/** The comments, without code in backticks, and the strings that contain a space: others are names. */
function proseOfTypeScript(text: string): string {
  let prose = '';
  const keep = (start: number, end: number) => {
    prose += blank(text.slice(prose.length, start)) + text.slice(start, end);
  };
  /** For each open template, the number of open braces in its current expression. */
  const templates: number[] = [];
  const readTemplate = (start: number) => {
    templateText.lastIndex = start;
    const [chunk] = templateText.exec(text) ?? [''];
    const end = start + chunk.length;
    if (/\s/.test(chunk)) keep(start, end);
    const isOpen = text.startsWith('${', end);
    if (isOpen) templates.push(0);
    return end + (isOpen ? 2 : 1);
  };
  for (token.lastIndex = 0; ;) {
    const match = token.exec(text);
    if (!match) return prose + blank(text.slice(prose.length));
    const [found, comment, string] = match;
    const depth = templates.at(-1);
    if (comment !== undefined) {
      prose += blank(text.slice(prose.length, match.index)) + comment.replaceAll(/`[^`\n]*`/g, blank);
    } else if (string !== undefined) {
      if (/\s/.test(string)) keep(match.index, match.index + string.length);
    } else if (found === '`') {
      token.lastIndex = readTemplate(token.lastIndex);
    } else if (depth !== undefined && found === '}' && depth === 0) {
      templates.pop();
      token.lastIndex = readTemplate(token.lastIndex);
    } else if (depth !== undefined && (found === '{' || found === '}')) {
      templates[templates.length - 1] = depth + (found === '{' ? 1 : -1);
    }
  }
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ');
}
