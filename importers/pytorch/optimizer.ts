/** Which optimizer a state belongs to. No state has a name, but the settings in its groups are each class's own. */

import { isRecord, itemsOf, type PickleValue } from "../../src/wire/pickle-value.ts";
import { stateDictOf } from "./tensor-state.ts";

/** Settings that a class of torch.optim writes into each of its groups, and no class further up does. */
const classes: readonly (readonly [name: string, settings: readonly string[]])[] = [
  ["SGD", ["momentum", "dampening", "nesterov"]],
  ["NAdam", ["betas", "momentum_decay"]],
  ["Adam", ["betas", "eps", "amsgrad"]],
  // Adamax has what RAdam had before PyTorch 2.1.
  ["RAdam", ["betas", "decoupled_weight_decay"]],
  ["RMSprop", ["alpha", "centered"]],
  ["Adagrad", ["lr_decay", "initial_accumulator_value"]],
  ["Adadelta", ["rho", "eps", "maximize"]],
  ["ASGD", ["lambd", "alpha", "t0"]],
  ["Rprop", ["etas", "step_sizes"]],
  ["LBFGS", ["history_size", "line_search_fn"]],
  ["Adafactor", ["beta2_decay", "d"]],
  ["Muon", ["ns_steps", "ns_coefficients"]],
];

/** What an optimizer is called of which nothing tells the class. */
const unnamed = "optimizer";

/**
 * What `Optimizer.state_dict()` gives, whatever it is kept under: the name of its class, with `~` in front where it is read from
 * the settings. `null` for anything else. `type` is the class of a whole optimizer that was pickled.
 */
export function optimizerOf(
  entries: ReadonlyMap<PickleValue, PickleValue>,
  type: string | null = null,
): string | null {
  const groups = entries.get("param_groups");
  if (groups === undefined || !entries.has("state")) return null;
  if (type !== null) return type.slice(type.lastIndexOf(".") + 1);
  const first = itemsOf(groups)?.[0];
  if (!isRecord(first) || first.kind !== "dict") return unnamed;
  const settings = stateDictOf(first);
  const [name] = classes.find(([, keys]) => keys.every((key) => settings.has(key))) ?? [];
  // Adam and AdamW have the same settings; PyTorch 2.7 and later note which it is.
  if (name !== "Adam") return name === undefined ? unnamed : `~${name}`;
  const decoupled = settings.get("decoupled_weight_decay");
  return decoupled === undefined ? "~Adam or AdamW" : decoupled === true ? "~AdamW" : "~Adam";
}
