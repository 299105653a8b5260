/** What reading one layer needs to know of the rest of the file, and what it gives back. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { Call } from "../../src/ir/graph.ts";
import type { ArchLayer } from "./architecture.ts";
import type { CallArguments } from "./layer-rule.ts";

/** What holds for the whole file, and where in it we are. */
export interface ReadContext {
  readonly generation: 1 | 2 | 3;
  readonly standalone: boolean;
  /** Up to Keras 2.15 the tensors in keyword arguments count by sorted name, then (tf-keras) as they are written. */
  readonly sortsKeywords: boolean;
  readonly report: (diagnostic: Diagnostic) => void;
  /** Names of the enclosing models, joined by "/". */
  readonly scope: string;
  readonly depth: number;
  /** Ids of the objects met so far that a file may write more than once (`shared_object_id`). */
  readonly sharedObjects: Set<number>;
  /** Layers, models without a name of their own, and characters of names, read so far in the whole file. */
  readonly count: { layers: number; unnamed: number; nameText: number };
}

export interface ReadLayer {
  readonly layer: ArchLayer;
  mapCall(call: CallArguments): Call;
}
