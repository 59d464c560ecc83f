/** JSON with line ends, for people: the same characters otherwise, so that no number and no key is changed on the way. */

/** Deeper than this nothing is indented further: text that nests without end must not become a page without end. */
const DEEPEST = 40;
/** A string, a bracket, a comma, a colon, or anything else but white space. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** The text as it is, where it is no JSON. */
export function pretty(text: string): string {
  if (!isJson(text)) return text;
  let depth = 0;
  let opened = false;
  let out = "";
  const line = (): string => `\n${"  ".repeat(Math.min(depth, DEEPEST))}`;
  for (const [token] of text.matchAll(TOKENS)) {
    const closes = token === "}" || token === "]";
    if (closes) depth -= 1;
    // Brackets with nothing between them stay together.
    if (opened !== closes) out += line();
    opened = token === "{" || token === "[";
    if (opened) depth += 1;
    out += token === ":" ? ": " : token;
    if (token === ",") out += line();
  }
  return out;
}

function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}
