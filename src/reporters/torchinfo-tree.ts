/** What of a report torchinfo would have a summary of. */

import { InvalidOptionError } from "../errors.ts";
import type { Report, ReportLayer, ReportNetwork } from "../report/report.ts";
import { type Info, rowsOf } from "./torchinfo-rows.ts";

export interface Tree {
  readonly rows: readonly Info[];
  /** What went in and came out; null for weights alone, which are summarized as without `input_data`. */
  readonly network: ReportNetwork | null;
}

/** @throws InvalidOptionError for a report whose rows are not all modules of one network. */
export function treeOf(report: Report): Tree {
  const { model, layers, file } = report;
  const { network = null } = model;
  if (!network && model.kind !== "weights-only")
    throw new InvalidOptionError(
      file.variant.startsWith("exported-program")
        ? "style torchinfo prints the modules of one network: take one program alone, and do not ask for nodes as rows"
        : `style torchinfo prints the modules of PyTorch, as programs of torch.export (.pt2), checkpoints and TorchScript have them; ${file.name} (${file.variant}) does not: give another style`,
    );
  if (!network && layers.some(isFlat))
    throw new InvalidOptionError("style torchinfo needs modules as rows: inspect with group module");
  if (layers.some(isCut))
    throw new InvalidOptionError(
      "style torchinfo needs all levels of the report: inspect without depth, and give it to the summary",
    );
  return { rows: rowsOf(report, network), network };
}

/** A row of weights that are some module's, which is none itself. */
function isFlat({ operator, weights }: ReportLayer): boolean {
  return operator !== "Module" && weights.some(({ name }) => /[./]/.test(name));
}

function isCut(layer: ReportLayer): boolean {
  return layer.folded === true || (layer.layers?.some(isCut) ?? false);
}
