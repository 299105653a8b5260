/** What torchinfo would tell of the network itself and the file does not, so that the text can differ. */

import type { Report, ReportNetwork, ReportWeight } from "../report/report.ts";
import { modelWeights } from "./model-weights.ts";
import { pathsAround } from "./torchinfo-modules.ts";
import { countsOf, type Info } from "./torchinfo-rows.ts";
import { renamed, sharedNames } from "./torchinfo-shared.ts";
import { treeOf } from "./torchinfo-tree.ts";

/** One line each. */
export function torchinfoNotes(report: Report): readonly string[] {
  const { rows, network } = treeOf(report);
  const weights = modelWeights(report).filter((weight) => weight.class === "parameter");
  const ofNetwork = network
    ? [
        silentNote(rows, report, network),
        guessNote(rows),
        unclearNote(rows),
        openNote(rows, network),
        twinNote(rows, weights),
        sharedNote(report, network),
        oldNote(rows, network),
      ]
    : [weightsNote(rows)];
  return [...ofNetwork, tieNote(report, rows), trainableNote(weights), maskNote(report)].flatMap(
    (note) => note ?? [],
  );
}

/** Of weights alone; pickled modules and scripts have classes. */
function weightsNote(rows: readonly Info[]): string | null {
  if (rows.every(({ type, path }) => !type.startsWith("~") || path === "")) return null;
  return "weights have no classes: those with ~ are read from their names and shapes, ~Module stands for any other; modules without weights have no rows, and rows come as the file has them";
}

/** Identities, and all else that leaves no trace. */
function silentNote(rows: readonly Info[], { layers }: Report, network: ReportNetwork): string | null {
  const { modules } = network;
  const shown = new Set(rows.map(({ path }) => path));
  const names = sharedNames(layers, modules);
  const isShown = (path: string): boolean => shown.has(renamed(path, names));
  const silent = modules.filter((path) => !isShown(path) && pathsAround(path).every(isShown));
  if (silent.length === 0) return null;
  return `modules that left no trace in the program: ${few(silent)}; nothing tells their classes and whether they are called, and torchinfo has rows for those that are (Identity and the like)`;
}

function guessNote(rows: readonly Info[]): string | null {
  const guessed = new Set(rows.filter(({ type }) => type.startsWith("~")).map(({ path }) => path));
  if (guessed.size === 0) return null;
  return `modules whose classes the program does not tell, as they are not called by themselves: ${few([...guessed])}; ~ModuleList stands for those whose parts are numbered, ~Module for others`;
}

function unclearNote(rows: readonly Info[]): string | null {
  const unclear = new Set(rows.filter(({ size }) => size === null).map(({ path }) => path || "the whole"));
  if (unclear.size === 0) return null;
  return `modules that give several values: ${few([...unclear])}; which of them torchinfo shows does not follow from the program, so ? stands for the shape`;
}

function openNote(rows: readonly Info[], { inputs }: ReportNetwork): string | null {
  const shapes = [...inputs.map(({ shape }) => shape), ...rows.map(({ size }) => size)];
  const open = new Set(shapes.flatMap((shape) => (shape ?? []).filter((dim) => typeof dim === "string")));
  if (open.size === 0) return null;
  return `the program leaves sizes open (${[...open].slice(0, 3).join(", ")}), so what depends on them is ?: give --batch or --dim`;
}

/** torchinfo adds up what is tied as often as it stands in a module. */
function tieNote({ totals }: Report, rows: readonly Info[]): string | null {
  const { elements } = countsOf(rows);
  const own = totals.classes.length === 1 && totals.classes[0] === "parameter";
  if (!own || elements === totals.parameters) return null;
  return `torchinfo counts ${elements} parameters, the network has ${totals.parameters}: tied ones count in every module that has them, and what is left in a module with others inside never goes below 0`;
}

/** Modules of one class with the same parameters are one module under two names, or two whose parameters are tied. */
function twinNote(rows: readonly Info[], weights: readonly ReportWeight[]): string | null {
  const held = new Map<string, unknown[]>();
  for (const { name, stored, shared } of weights) {
    const owner = name.slice(0, Math.max(0, name.lastIndexOf(".")));
    const own = held.get(owner) ?? [];
    own.push(stored ?? shared ?? name);
    held.set(owner, own);
  }
  const first = new Map<string, string>();
  const twins = new Set<string>();
  for (const { path, type, isLeaf } of rows) {
    const own = isLeaf ? held.get(path) : undefined;
    if (!own) continue;
    const key = JSON.stringify([type, own]);
    const other = first.get(key);
    if (other === undefined) first.set(key, path);
    else if (other !== path) twins.add(path);
  }
  if (twins.size === 0) return null;
  return `modules with the class and the parameters of another: ${few([...twins])}; if they are that one under a second name, torchinfo calls them recursive and counts them once`;
}

function sharedNote({ layers }: Report, { modules }: ReportNetwork): string | null {
  const names = [...sharedNames(layers, modules)].flatMap(([name, other]) => (name === other ? [] : name));
  if (names.length === 0) return null;
  return `modules taken to be another one under a second name, as they have its class and parameters: ${few(names)}`;
}

/** Up to PyTorch 2.3. */
function oldNote(rows: readonly Info[], { modules }: ReportNetwork): string | null {
  if (modules.length > 1 || rows.length === 1) return null;
  return "the program has no list of the modules of the network and does not count their calls (PyTorch wrote both from 2.4 on): rows of what is called again, or has a second name, can differ";
}

function trainableNote(weights: readonly ReportWeight[]): string | null {
  if (weights.every(({ trainable }) => trainable !== null)) return null;
  return "nothing tells which parameters are trainable: all are taken to be";
}

/** torchinfo counts the ones of a mask, which are elements. */
function maskNote(report: Report): string | null {
  const names = new Set(modelWeights(report).map(({ name }) => name));
  const pruned = [...names].filter(
    (name) => names.has(name.replace(/_orig$/, "_mask")) && name.endsWith("_orig"),
  );
  if (pruned.length === 0) return null;
  return `parameters that are pruned by masks, whose elements are not read: ${few(pruned)}; torchinfo counts what is left of them, here the whole counts`;
}

function few(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return `${names.slice(0, 3).join(", ")}${more}`;
}
