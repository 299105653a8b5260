/** The words of `--help`. docs/command-line.md shows them as they come out of here. */

import { summaryStyles } from "../public/index.ts";

export const description = `Weighs a trained-model file (Keras, ONNX, PyTorch, safetensors) without unloading it:
prints a summary as Keras's model.summary() does, and adds up every tensor element in the
file. Needs no Python and reads no weights.`;

/** After the options of a summary. */
export function summaryNotes(): string {
  const width = Math.max(...summaryStyles.map(({ name }) => name.length));
  const styles = summaryStyles.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`);
  return `
Styles:
${styles.join("\n")}

What goes where:
  Standard output has the summaries and nothing else. Notes on what a file lacks
  or contradicts follow on standard error. With several files, a line on standard
  error names each; --json then prints one array.
  The width is that of the terminal, of COLUMNS when it is set, or 80.`;
}

export const exitCodes = `
Exit codes:
  0   done, with notes or without
  2   the command line was not understood
  3   a file could not be read, or the output not written (others are still done)
  70  a bug in weighbridge`;

export const examples = `
Examples:
  weighbridge model.keras                        as Keras 3 prints it
  weighbridge --style keras2 --expand-nested model.h5
  weighbridge --layer-range conv1 conv3 model.h5
  weighbridge --batch 1 --dim seq=128 model.onnx        named sizes filled in
  weighbridge --group module model.onnx                 its modules, as a tree
  weighbridge --depth 2 model.pt2                       two levels of modules
  weighbridge --style torchinfo model.pt2               as torchinfo prints it
  weighbridge checkpoint.pt adapter.safetensors         two files, one by one
  weighbridge llama/                                    a Hugging Face folder
  weighbridge --json model.onnx | jq .ledger            every element, by class
  curl -sL https://example.org/model.h5 | weighbridge -
  weighbridge convert model.h5 --output model.ir.json`;

export const convertNotes = `
The file holds the model as weighbridge understands it: layers, how they are joined, and
the name, type and shape of every stored tensor, but no weights. It is described by
schema/model.v1.schema.json, and weighbridge reads it like any other model file.`;
