import { emojiCodes } from "./rich-emoji.ts";

/**
 * Text with styles and the markup it is written in (`[bold]x[/]`, `:smile:`), as the Python library rich has it: Keras 3
 * prints its summary as such markup, so what rich does with a layer's name is what the summary shows.
 */
export interface RichText {
  readonly text: string;
  /** In order: where styles meet, the later one decides. */
  readonly spans: readonly Span[];
}

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly style: TextStyle;
}

export interface TextStyle {
  readonly bold?: true;
  /** Index in the terminal's palette of 256. */
  readonly color?: number;
}

const emojiCode = /:([^\s:]*):/gu;
const emojiVariants: Readonly<Record<string, string>> = { text: "\ufe0e", emoji: "\ufe0f" };

function replaceEmoji(text: string): string {
  if (!text.includes(":")) return text;
  return text.replace(emojiCode, (code, body: string) => {
    const variant = /-(emoji|text)$/.exec(body);
    const name = variant ? body.slice(0, variant.index) : body;
    const emoji = emojiCodes().get(name.toLowerCase());
    return emoji === undefined ? code : emoji + (emojiVariants[variant?.[1] ?? ""] ?? "");
  });
}

// The tags of rich, with the backslashes before them. Not from the middle of a run of backslashes: that would only try
// what was tried before, which a long run makes slow.

/** Makes text safe to put into markup: it is then shown as it is (but for emoji codes, which rich replaces anyway). */
export function escapeMarkup(text: string): string {
  const escaped = text.includes("[") ? text.replace(/(?<!\\)(\\*)(\[[a-z#/@][^[]*?\])/g, "$1$1\\$2") : text;
  return escaped.endsWith("\\") && !escaped.endsWith("\\\\") ? `${escaped}\\` : escaped;
}

interface OpenTag {
  readonly name: string;
  readonly start: number;
  closed: boolean;
}

/** Tags that wait for their end. A name can be a hundred thousand of them, so none is looked for among all. */
class OpenTags {
  readonly #all: OpenTag[] = [];
  readonly #byName = new Map<string, OpenTag[]>();

  push(name: string, start: number): void {
    const tag: OpenTag = { name, start, closed: false };
    this.#all.push(tag);
    const same = this.#byName.get(name);
    if (same) same.push(tag);
    else this.#byName.set(name, [tag]);
  }

  /** The last one of that name, or the last one of all for "". */
  close(name: string): OpenTag | undefined {
    const tags = name === "" ? this.#all : (this.#byName.get(name) ?? []);
    let tag = tags.pop();
    while (tag?.closed) tag = tags.pop();
    if (tag) tag.closed = true;
    return tag;
  }

  /** What is left, the last one first. */
  rest(): OpenTag[] {
    return this.#all.filter((tag) => !tag.closed).reverse();
  }
}

/**
 * Reads markup; the styles only if somebody is to see them. Where rich would refuse it (a closing tag that closes nothing),
 * the tag is shown as text.
 */
export function parseMarkup(markup: string, styled: boolean): RichText {
  // Many cells have no tag, code or backslash at all.
  if (!/[[:\\]/.test(markup)) return { text: markup, spans: [] };
  let text = "";
  const closed: Span[] = [];
  const open = new OpenTags();
  const append = (plain: string): void => {
    text += replaceEmoji(plain.replaceAll("\\[", "["));
  };
  const close = (tag: OpenTag): void => {
    closed.push({ start: tag.start, end: text.length, style: styleOf(tag.name) });
  };
  let position = 0;
  for (const match of markup.matchAll(/(?<!\\)(\\*)\[([a-z#/@][^[]*?)\]/g)) {
    const [whole, backslashes = "", tag = ""] = match;
    if (match.index > position) append(markup.slice(position, match.index));
    position = match.index + whole.length;
    append("\\".repeat(backslashes.length >> 1));
    if (backslashes.length % 2 === 1) {
      append(whole.slice(backslashes.length));
    } else if (!tag.startsWith("/")) {
      open.push(tag, text.length);
    } else {
      const closing = open.close(tag.slice(1).trim());
      if (closing) close(closing);
      else append(whole);
    }
  }
  append(markup.slice(position));
  if (!styled) return { text, spans: [] };
  for (const tag of open.rest()) close(tag);
  const spans = closed.reverse().sort((a, b) => a.start - b.start);
  return { text, spans: flatten(spans) };
}

/**
 * The same styles by spans that do not meet, cut wherever one began or ended: ten thousand styles one inside the other
 * would else be ten thousand spans of every line.
 */
function flatten(spans: readonly Span[]): Span[] {
  const cuts = [...new Set(spans.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  const flat: Span[] = [];
  // Later spans decide, so the last one that is not over is on top.
  const colors: Span[] = [];
  const bolds: Span[] = [];
  let next = 0;
  for (const [index, start] of cuts.slice(0, -1).entries()) {
    for (let span = spans[next]; span !== undefined && span.start <= start; span = spans[++next]) {
      if (span.style.color !== undefined) colors.push(span);
      if (span.style.bold) bolds.push(span);
    }
    const color = topAt(colors, start)?.style.color;
    const style: TextStyle = {
      ...(topAt(bolds, start) && { bold: true }),
      ...(color !== undefined && { color }),
    };
    flat.push({ start, end: cuts[index + 1] ?? start, style });
  }
  return flat;
}

function topAt(stack: Span[], place: number): Span | undefined {
  while ((stack.at(-1)?.end ?? Infinity) <= place) stack.pop();
  return stack.at(-1);
}

/** Styles that Keras uses. Others can only come from a layer's name, and are dropped. */
function styleOf(tag: string): TextStyle {
  if (tag === "bold") return { bold: true };
  const color = /^color\((\d{1,3})\)$/.exec(tag);
  return color ? { color: Number(color[1]) } : {};
}

export function combineStyles(below: TextStyle, above: TextStyle): TextStyle {
  return { ...below, ...above };
}

/** The part from `start` to `end`, with its styles. */
export function sliceText(text: RichText, start: number, end: number): RichText {
  const spans = text.spans
    .map((span) => ({
      start: Math.max(span.start, start) - start,
      end: Math.min(span.end, end) - start,
      style: span.style,
    }))
    .filter((span) => span.end > span.start);
  return { text: text.text.slice(start, end), spans };
}

/** The parts between `offsets`, which are in order, with their styles. In one go: a text can have very many parts. */
export function divideText(text: RichText, offsets: readonly number[]): RichText[] {
  const starts = [0, ...offsets];
  const parts = starts.map((start, index) => ({
    text: text.text.slice(start, offsets[index] ?? text.text.length),
    spans: [] as Span[],
  }));
  let first = 0;
  for (const span of text.spans) {
    // Spans are in the order of their starts, so no later one begins in an earlier part.
    while ((offsets[first] ?? Infinity) <= span.start) first++;
    for (let index = first; index < parts.length && (starts[index] ?? 0) < span.end; index++) {
      const [start, end] = [starts[index] ?? 0, offsets[index] ?? text.text.length];
      const piece = { start: Math.max(span.start, start) - start, end: Math.min(span.end, end) - start };
      if (piece.end > piece.start) parts[index]?.spans.push({ ...piece, style: span.style });
    }
  }
  return parts;
}

/** Puts blanks to the left and right. Styles do not grow into them. */
export function padText(text: RichText, left: number, right: number): RichText {
  const shift = Math.max(0, left);
  return {
    text: " ".repeat(shift) + text.text + " ".repeat(Math.max(0, right)),
    spans: text.spans.map((span) => ({ ...span, start: span.start + shift, end: span.end + shift })),
  };
}

/** Runs of equal style, as rich hands them to the terminal. */
export function segmentsOf(text: RichText, base: TextStyle): Segment[] {
  if (text.spans.length === 0) return [{ text: text.text, style: base }];
  const cuts = new Set([0, text.text.length]);
  for (const span of text.spans) cuts.add(span.start).add(span.end);
  const places = [...cuts].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => {
    const start = places[index] ?? 0;
    const style = text.spans
      .filter((span) => span.start <= start && span.end >= end)
      .reduce((below, span) => combineStyles(below, span.style), base);
    return { text: text.text.slice(start, end), style };
  });
}

export interface Segment {
  readonly text: string;
  readonly style: TextStyle;
}
