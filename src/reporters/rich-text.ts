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

export const noSpans: readonly Span[] = [];

/** Tags that wait for their end. A name can be a hundred thousand of them, so none is looked for among all. */
class OpenTags {
  private readonly all: OpenTag[] = [];
  /** Made for the first tag that is closed by its name: those of Keras's own are not. */
  private byName: Map<string, OpenTag[]> | null = null;

  push(name: string, start: number): void {
    const tag: OpenTag = { name, start, closed: false };
    this.all.push(tag);
    if (this.byName) pushNamed(this.byName, tag);
  }

  /** The last one of that name, or the last one of all for "". */
  close(name: string): OpenTag | undefined {
    const tags = name === "" ? this.all : (this.named().get(name) ?? []);
    let tag = tags.pop();
    while (tag?.closed) tag = tags.pop();
    if (tag) tag.closed = true;
    return tag;
  }

  /** What is left, the last one first. */
  rest(): OpenTag[] {
    return this.all.filter((tag) => !tag.closed).reverse();
  }

  private named(): ReadonlyMap<string, OpenTag[]> {
    if (!this.byName) {
      this.byName = new Map();
      for (const tag of this.all) pushNamed(this.byName, tag);
    }
    return this.byName;
  }
}

function pushNamed(byName: Map<string, OpenTag[]>, tag: OpenTag): void {
  const same = byName.get(tag.name);
  if (same) same.push(tag);
  else byName.set(tag.name, [tag]);
}

interface Tag {
  /** With the backslashes before it. */
  readonly start: number;
  readonly end: number;
  readonly backslashes: number;
  readonly name: string;
}

function tagsOf(markup: string): readonly Tag[] {
  if (!markup.includes("\\")) return plainTags(markup);
  return Array.from(markup.matchAll(/(?<!\\)(\\*)\[([a-z#/@][^[]*?)\]/g), (match) => {
    const [whole, backslashes = "", name = ""] = match;
    const { index } = match;
    return { start: index, end: index + whole.length, backslashes: backslashes.length, name };
  });
}

/** The same where there are no backslashes, in a fifth of the time. */
function plainTags(markup: string): readonly Tag[] {
  const tags: Tag[] = [];
  let end = -1;
  for (let at = markup.indexOf("["); at >= 0; ) {
    if (end < at) end = markup.indexOf("]", at);
    if (end < 0) break;
    const next = markup.indexOf("[", at + 1);
    if ((next < 0 || next > end) && /[a-z#/@]/.test(markup.charAt(at + 1)))
      tags.push({ start: at, end: end + 1, backslashes: 0, name: markup.slice(at + 1, end) });
    at = next;
  }
  return tags;
}

/**
 * Reads markup; the styles only if somebody is to see them. Where rich would refuse it (a closing tag that closes nothing),
 * the tag is shown as text.
 */
export function parseMarkup(markup: string, styled: boolean): RichText {
  // Many cells have no tag, code or backslash at all.
  if (!/[[:\\]/.test(markup)) return { text: markup, spans: noSpans };
  const bare = styled || markup.includes("\\") ? null : bareText(markup);
  if (bare !== null) return { text: bare, spans: noSpans };
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
  for (const { start, end, backslashes, name } of tagsOf(markup)) {
    if (start > position) append(markup.slice(position, start));
    position = end;
    if (backslashes > 0) append("\\".repeat(backslashes >> 1));
    if (backslashes % 2 === 1) {
      append(markup.slice(start + backslashes, end));
    } else if (!name.startsWith("/")) {
      open.push(name, text.length);
    } else {
      const closing = open.close(name.slice(1).trim());
      if (!closing) append(markup.slice(start, end));
      else if (styled) close(closing);
    }
  }
  if (position < markup.length) append(markup.slice(position));
  if (!styled) return { text, spans: noSpans };
  for (const tag of open.rest()) close(tag);
  if (isFlat(closed)) return { text, spans: closed };
  const spans = closed.reverse().sort((a, b) => a.start - b.start);
  return { text, spans: flatten(spans) };
}

/** What is left without the tags; null where one is closed by its name, which takes a look at all that are open. */
function bareText(markup: string): string | null {
  let text = "";
  let open = 0;
  let position = 0;
  for (const { start, end, name } of plainTags(markup)) {
    const closes = name.startsWith("/");
    if (closes && name !== "/") return null;
    text += replaceEmoji(markup.slice(position, start));
    if (closes && open === 0) text += markup.slice(start, end);
    else open += closes ? -1 : 1;
    position = end;
  }
  return text + replaceEmoji(markup.slice(position));
}

/** Whether spans do not meet and are in order, as those of Keras's own markup. */
function isFlat(spans: readonly Span[]): boolean {
  return spans.every(({ start }, i) => start >= (spans[i - 1]?.end ?? 0));
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

function combineStyles(below: TextStyle, above: TextStyle): TextStyle {
  return below.bold === undefined && below.color === undefined ? above : { ...below, ...above };
}

/** The part from `start` to `end`, with its styles. */
export function sliceText(text: RichText, start: number, end: number): RichText {
  if (text.spans.length === 0) return { text: text.text.slice(start, end), spans: noSpans };
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
  const parts: { text: string; spans: Span[] }[] = [];
  let start = 0;
  for (let index = 0; index <= offsets.length; index++) {
    const end = offsets[index] ?? text.text.length;
    parts.push({ text: text.text.slice(start, end), spans: [] });
    start = end;
  }
  if (text.spans.length === 0) return parts;
  const starts = [0, ...offsets];
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
    spans:
      shift === 0
        ? text.spans
        : text.spans.map(({ start, end, style }) => ({ start: start + shift, end: end + shift, style })),
  };
}

/** Runs of equal style, as rich hands them to the terminal. Spans that do not meet are all that `parseMarkup` gives. */
export function segmentsOf({ text, spans }: RichText, base: TextStyle): Segment[] {
  if (spans.length === 0) return [{ text, style: base }];
  const segments: Segment[] = [];
  let place = 0;
  for (const { start, end, style } of spans) {
    if (start > place) segments.push({ text: text.slice(place, start), style: base });
    if (end > start) segments.push({ text: text.slice(start, end), style: combineStyles(base, style) });
    place = end;
  }
  if (place < text.length) segments.push({ text: text.slice(place), style: base });
  return segments;
}

export interface Segment {
  readonly text: string;
  readonly style: TextStyle;
}
