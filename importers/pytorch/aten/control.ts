/** Operations that run graphs. Their arguments have no names, only places; those not named here are what the graph gets. */

import { type AtenOp, type AtenOps, port } from "../aten.ts";

/** A graph that is run once, in a mode of some sort. */
const call: AtenOp = { operator: "CallGraph", inputs: [] };

export const controlOps: AtenOps = {
  "higher_order.cond": { operator: "Branch", inputs: [port("0", "condition"), port("3", "operands")] },
  "higher_order.while_loop": { operator: "While", inputs: [port("2", "carried"), port("3", "operands")] },
  "higher_order.map_impl": { operator: "MapOver", inputs: [port("1", "sequences"), port("2", "operands")] },
  "higher_order.scan": {
    operator: "ScanOver",
    inputs: [port("1", "carried"), port("2", "sequences"), port("3", "operands")],
  },
  "higher_order.wrap_with_set_grad_enabled": call,
  "higher_order.wrap_with_autocast": call,
};
