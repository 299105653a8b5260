/**
 * The schemas are the contract of `--json` and `convert`. They are written by hand, for their descriptions; this holds
 * them against the TypeScript types, field by field.
 */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type Type, Types } from "./type-text.ts";

const root = resolve(import.meta.dirname, "../..");

interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema | false;
  readonly prefixItems?: readonly Schema[];
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

const contracts = [
  { file: "schema/report.v1.schema.json", type: "Report" },
  { file: "schema/model.v1.schema.json", type: "ModelDocument" },
];

/** What `convert` writes; the reader in importers/ir is tested by reading it back. */
const modelDocument = `export interface ModelDocument {
  readonly format: "weighbridge-model";
  readonly version: 1;
  readonly model: Model;
  readonly diagnostics: readonly Diagnostic[];
}`;

const types = new Types([
  modelDocument,
  ...[
    "report/report",
    "ir/convention",
    "ir/model",
    "ir/graph",
    "ir/tensor",
    "ir/shape",
    "ir/dim",
    "ir/expression",
    "ir/dtype",
    "diagnostics",
  ].map((name) => read(`src/${name}.ts`)),
]);

describe.each(contracts)("$file", ({ file, type }) => {
  const schema: Schema = JSON.parse(read(file));

  test(`says what the type ${type} says`, () => {
    expect(new Comparison(schema).differences({ kind: "reference", name: type, args: [] })).toEqual([]);
  });

  test("describes every field and lets no other one in", () => {
    const lacking: string[] = [];
    visit(schema, "#", (part, at) => {
      if (part.properties && part.additionalProperties !== false) lacking.push(`${at} (open)`);
      for (const [name, field] of Object.entries(part.properties ?? {})) {
        if (!(field.description ?? deref(schema, field).description)) lacking.push(`${at}/${name}`);
      }
    });
    expect(lacking).toEqual([]);
  });
});

function deref(schema: Schema, part: Schema): Schema {
  const name = part.$ref?.replace("#/$defs/", "");
  const target = name === undefined ? part : schema.$defs?.[name];
  if (!target) throw new Error(`${part.$ref} leads nowhere`);
  return target;
}

/** Every schema inside a schema, each once. */
function visit(part: Schema, at: string, see: (part: Schema, at: string) => void): void {
  see(part, at);
  for (const [key, value] of Object.entries(part)) {
    if (key === "enum" || key === "const" || typeof value !== "object" || value === null) continue;
    if (key === "properties" || key === "$defs") {
      for (const [name, inner] of Object.entries(value)) visit(inner as Schema, `${at}/${name}`, see);
    } else if (Array.isArray(value)) {
      for (const inner of value) if (typeof inner === "object") visit(inner as Schema, at, see);
    } else visit(value as Schema, at, see);
  }
}

/** A type or a schema as a set of alternatives: plain ones as words, objects and arrays apart. */
interface Alternatives<T> {
  readonly plain: readonly string[];
  readonly objects: readonly T[];
  readonly arrays: readonly T[];
}

/** Holds a TypeScript type against a schema and tells where they differ. */
class Comparison {
  readonly #schema: Schema;
  readonly #compared = new Set<string>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  differences(type: Type, part: Schema = this.#schema, at = ""): string[] {
    if (type.kind === "reference" && part.$ref) {
      const pair = `${JSON.stringify(type)} ${part.$ref}`;
      if (this.#compared.has(pair)) return [];
      this.#compared.add(pair);
    }
    // Plain JSON data of any form: the schema has to leave it open.
    if (type.kind === "reference" && type.name === "Json")
      return part.type || part.properties ? [`${at}: not open`] : [];
    if (type.kind === "reference" && type.name === "JsonObject")
      return part.type === "object" && !part.properties ? [] : [`${at}: not an open object`];

    const ours = this.#ofType(type);
    const theirs = this.#ofSchema(part);
    if (ours.plain.join() !== theirs.plain.join()) return [`${at}: ${ours.plain} / ${theirs.plain}`];
    if (ours.objects.length !== theirs.objects.length) return [`${at}: another number of objects`];
    if (ours.arrays.length !== theirs.arrays.length) return [`${at}: another number of arrays`];
    return [
      ...ours.objects.flatMap((object, i) => this.#objects(object, theirs.objects[i] ?? {}, at)),
      ...ours.arrays.flatMap((array, i) => this.#arrays(array, theirs.arrays[i] ?? {}, at)),
    ];
  }

  #objects(type: Type, part: Schema, at: string): string[] {
    if (type.kind !== "object") return [];
    const names = [...type.fields.keys()];
    const properties = Object.keys(part.properties ?? {});
    if (names.toSorted().join() !== properties.toSorted().join())
      return [`${at}: fields ${names} / properties ${properties}`];
    const required = names.filter((name) => !type.fields.get(name)?.optional);
    const found =
      required.toSorted().join() === (part.required ?? []).toSorted().join() ? [] : [`${at}: required`];
    return [
      ...found,
      ...[...type.fields].flatMap(([name, field]) =>
        this.differences(field.type, part.properties?.[name] ?? {}, `${at}/${name}`),
      ),
    ];
  }

  #arrays(type: Type, part: Schema, at: string): string[] {
    if (type.kind === "array") return this.differences(type.item, part.items || {}, `${at}[]`);
    if (type.kind !== "tuple") return [];
    return type.items.flatMap((item, i) =>
      this.differences(item, part.prefixItems?.[i] ?? {}, `${at}[${i}]`),
    );
  }

  #ofType(type: Type): Alternatives<Type> {
    const members = types.membersOf(type);
    const plain = members.flatMap((member) => {
      if (member.kind === "primitive") return [member.name];
      return member.kind === "literal" ? [member.value === null ? "null" : JSON.stringify(member.value)] : [];
    });
    return {
      plain: plain.sort(),
      objects: members.filter((member) => member.kind === "object"),
      arrays: members.filter((member) => member.kind === "array" || member.kind === "tuple"),
    };
  }

  #ofSchema(part: Schema): Alternatives<Schema> {
    const target = deref(this.#schema, part);
    if (target !== part) return this.#ofSchema(target);
    if (part.anyOf) {
      const all = part.anyOf.map((alternative) => this.#ofSchema(alternative));
      return {
        plain: all.flatMap(({ plain }) => plain).sort(),
        objects: all.flatMap(({ objects }) => objects),
        arrays: all.flatMap(({ arrays }) => arrays),
      };
    }
    if (part.enum) return { plain: part.enum.map((v) => JSON.stringify(v)).sort(), objects: [], arrays: [] };
    if (part.const !== undefined) return { plain: [JSON.stringify(part.const)], objects: [], arrays: [] };
    const kinds = [part.type ?? []].flat();
    return {
      plain: kinds
        .filter((kind) => kind !== "object" && kind !== "array")
        .map((kind) => (kind === "integer" ? "number" : kind))
        .sort(),
      objects: kinds.includes("object") ? [part] : [],
      arrays: kinds.includes("array") ? [part] : [],
    };
  }
}
