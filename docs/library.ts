import { formatSummary, inspect, isModelError, type Report } from "weighbridge";
import { inspectFile } from "weighbridge/node";

const path: string = process.argv[2] ?? "model.keras";
try {
  const report: Report = await inspectFile(path);
  console.log(formatSummary(report, { style: "keras2", expandNested: true }));
  for (const layer of report.layers) console.log(layer.name, layer.outputShapes, layer.params);

  // In a browser: a File, a Blob or bytes. Nothing is read but what the figures need.
  const bytes = await (await import("node:fs/promises")).readFile(path);
  const { totals, ledger } = await inspect(new Blob([bytes]));
  console.log(totals.parameters, "parameters,", ledger.elements, "elements in the file");
} catch (error) {
  if (!isModelError(error)) throw error;
  console.error(error.kind, error.message);
}
