/**
 * Reads the few forms of TypeScript types that the report and the IR are written in, so that a test can hold a JSON
 * Schema against them. Not a TypeScript parser: what it does not know, it throws on.
 */

export type Type =
  | { readonly kind: "primitive"; readonly name: string }
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "union"; readonly members: readonly Type[] }
  | { readonly kind: "array"; readonly item: Type }
  | { readonly kind: "tuple"; readonly items: readonly Type[] }
  | { readonly kind: "object"; readonly fields: ReadonlyMap<string, Field> }
  | { readonly kind: "reference"; readonly name: string; readonly args: readonly Type[] }
  | { readonly kind: "member"; readonly of: Type; readonly key: string };

export interface Field {
  readonly optional: boolean;
  readonly type: Type;
}

interface Declaration {
  readonly parameters: readonly string[];
  readonly type: Type;
}

const primitives = new Set(["string", "number", "boolean", "unknown"]);

/** Type declarations of some source files, resolved on demand. */
export class Types {
  readonly #declarations = new Map<string, Declaration>();

  constructor(sources: readonly string[]) {
    for (const source of sources) {
      const tokens = new Tokens(source);
      const heads = source.matchAll(
        /^(?:export )?(interface|type) (\w+)(?:<([^>]*)>)?(?: extends [^{]*)? ?(?=[={])/gm,
      );
      for (const head of heads) {
        tokens.position = head.index + head[0].length;
        if (head[1] === "type") tokens.expect("=");
        const parameters = (head[3] ?? "").split(",").map((name) => name.trim().split(" ")[0] ?? "");
        this.#declarations.set(head[2] ?? "", { parameters, type: tokens.type() });
      }
    }
  }

  /** The type with references, `Readonly`, `Record` and member access resolved at its top. */
  resolve(type: Type): Type {
    if (type.kind === "member") {
      const of = this.resolve(type.of);
      const owners = of.kind === "union" ? of.members.map((member) => this.resolve(member)) : [of];
      return { kind: "union", members: owners.map((owner) => fieldOf(owner, type.key)) };
    }
    if (type.kind !== "reference") return type;
    const [first, second] = type.args;
    if (type.name === "Readonly" && first) return this.resolve(first);
    if (type.name === "Record" && first && second) {
      const keys = this.literalsOf(first).map(String);
      return { kind: "object", fields: new Map(keys.map((key) => [key, { optional: false, type: second }])) };
    }
    const declaration = this.#declarations.get(type.name);
    if (!declaration) throw new Error(`no declaration of ${type.name}`);
    const bound = new Map(declaration.parameters.map((name, i) => [name, type.args[i]]));
    return this.resolve(substitute(declaration.type, bound));
  }

  /** Members of a union, nested unions flattened; a lone type is a union of one. */
  membersOf(type: Type): readonly Type[] {
    const resolved = this.resolve(type);
    return resolved.kind === "union" ? resolved.members.flatMap((m) => this.membersOf(m)) : [resolved];
  }

  literalsOf(type: Type): readonly (string | number | boolean | null)[] {
    return this.membersOf(type).map((member) => {
      if (member.kind !== "literal") throw new Error(`${member.kind} where literals were expected`);
      return member.value;
    });
  }
}

function fieldOf(type: Type, key: string): Type {
  const field = type.kind === "object" ? type.fields.get(key) : undefined;
  if (!field) throw new Error(`no field ${key}`);
  return field.type;
}

function substitute(type: Type, bound: ReadonlyMap<string, Type | undefined>): Type {
  const again = (inner: Type): Type => substitute(inner, bound);
  switch (type.kind) {
    case "reference":
      return bound.get(type.name) ?? { ...type, args: type.args.map(again) };
    case "union":
      return { ...type, members: type.members.map(again) };
    case "array":
      return { ...type, item: again(type.item) };
    case "tuple":
      return { ...type, items: type.items.map(again) };
    case "member":
      return { ...type, of: again(type.of) };
    case "object":
      return {
        ...type,
        fields: new Map(
          [...type.fields].map(([name, field]) => [name, { ...field, type: again(field.type) }]),
        ),
      };
    default:
      return type;
  }
}

class Tokens {
  readonly #text: string;
  position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  type(): Type {
    this.#take("|");
    const members = [this.#postfix()];
    while (this.#take("|")) members.push(this.#postfix());
    return members.length === 1 && members[0] ? members[0] : { kind: "union", members };
  }

  expect(token: string): void {
    if (!this.#take(token)) throw new Error(`"${token}" expected at: ${this.#rest().slice(0, 60)}`);
  }

  #postfix(): Type {
    let type = this.#primary();
    while (this.#take("[")) {
      const key = this.#match(/"(\w+)"/y);
      this.expect("]");
      type = key === undefined ? { kind: "array", item: type } : { kind: "member", of: type, key };
    }
    return type;
  }

  #primary(): Type {
    if (this.#take("(")) return this.#closed(this.type(), ")");
    if (this.#take("{")) return this.#object();
    if (this.#take("[")) return { kind: "tuple", items: this.#list("]") };
    const text = this.#match(/"([^"]*)"/y);
    if (text !== undefined) return { kind: "literal", value: text };
    const number = this.#match(/(\d+)/y);
    if (number !== undefined) return { kind: "literal", value: Number(number) };
    const name = this.#match(/(\w+)/y);
    if (name === undefined) throw new Error(`a type expected at: ${this.#rest().slice(0, 60)}`);
    if (name === "readonly") return this.#postfix();
    if (name === "null") return { kind: "literal", value: null };
    if (primitives.has(name)) return { kind: "primitive", name };
    return { kind: "reference", name, args: this.#take("<") ? this.#list(">") : [] };
  }

  #object(): Type {
    const fields = new Map<string, Field>();
    while (!this.#take("}")) {
      const name = this.#match(/(?:readonly\s+)?(\w+|\[key: string\])/y);
      if (name === undefined) throw new Error(`a field expected at: ${this.#rest().slice(0, 60)}`);
      const optional = this.#take("?");
      this.expect(":");
      fields.set(name, { optional, type: this.type() });
      this.#take(";");
    }
    return { kind: "object", fields };
  }

  #list(end: string): Type[] {
    const items: Type[] = [];
    while (!this.#take(end)) {
      items.push(this.type());
      this.#take(",");
    }
    return items;
  }

  #closed(type: Type, end: string): Type {
    this.expect(end);
    return type;
  }

  #take(token: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(token, this.position)) return false;
    this.position += token.length;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    this.#skipSpace();
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.position += match[0].length;
    return match[1];
  }

  #skipSpace(): void {
    const space = /(?:\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*)*/y;
    space.lastIndex = this.position;
    this.position += space.exec(this.#text)?.[0].length ?? 0;
  }

  #rest(): string {
    return this.#text.slice(this.position);
  }
}
