/** Whole loops of generating text in one operator (ONNX Runtime's BeamSearch and its like), which run graphs of their own. */

import { type Dim, subtractDims } from "../ir/dim.ts";
import { readFlag, readOptionalInteger } from "./attributes.ts";
import { scalarOf } from "./graph-values.ts";
import type { OperatorDef, RuleContext } from "./operator.ts";
import { defineOperator, inputAt, optionalInput } from "./tensor-rule.ts";

interface Search {
  /** Several sequences are returned for each prompt, with scores. */
  readonly beams: boolean;
  readonly vocabulary: number | null;
}

/** The graphs inside take what the loop makes: as far as the file states types, they are worked out on those. */
function runInside({ subgraphs }: RuleContext<unknown>): void {
  for (const run of subgraphs?.values() ?? []) run([]);
}

/** Prompt (batch, n), greatest length, ... -> tokens, and with beams their scores, whole and of each step. */
const generate = defineOperator<Search>({
  name: "GenerateTokens",
  attributes: (raw) => ({
    beams: readFlag(raw, "beams", false),
    vocabulary: readOptionalInteger(raw, "vocabulary"),
  }),
  infer(context) {
    const { attributes, inputs } = context;
    runInside(context);
    const number = (name: string): Dim => scalarOf(optionalInput(inputs, name, inputs.length));
    const prompt = inputAt(inputs, "tokens", 0);
    const batch = prompt.shape?.[0] ?? null;
    const longest = number("max-length");
    if (!attributes.beams) {
      // What else comes out is for finding errors.
      const logits = { dtype: null, shape: [batch, attributes.vocabulary] };
      return { types: [{ dtype: "int32", shape: [batch, longest] }, logits] };
    }
    const returned = number("returned");
    const steps = subtractDims(longest, prompt.shape?.[1] ?? null);
    const dtype = optionalInput(inputs, "length-penalty", inputs.length)?.dtype ?? null;
    return {
      types: [
        { dtype: "int32", shape: [batch, returned, longest] },
        { dtype, shape: [batch, returned] },
        {
          dtype,
          shape: [prompt.shape?.length === 2 ? steps : null, batch, number("beams"), attributes.vocabulary],
        },
      ],
    };
  },
});

export const graphGenerateOperators: readonly OperatorDef<unknown>[] = [generate];
