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
  /** Layers that the file may write again, each time as the same object. */
  readonly sharing: Sharing;
  /** Layers, models without a name of their own, and characters of names, read so far in the whole file. */
  readonly count: {
    layers: number;
    unnamed: number;
    nameText: number;
    /** Levels below graphs and lists of wrapped layers, where they had to be known. */
    readonly heights: WeakMap<object, number>;
  };
}

export interface ReadLayer {
  readonly layer: ArchLayer;
  mapCall(call: CallArguments): Call;
}

/** A layer that was read, and what it and all inside it took of the limits. */
export interface SharedLayer {
  readonly read: ReadLayer;
  readonly layers: number;
  readonly nameText: number;
  /** Levels of models and wrappers below it. */
  readonly height: number;
}

/** The layers that a mark can still mean; `null` where Keras keeps none. */
export interface Sharing {
  /**
   * Entries without a module (Keras 2.6 saving/save.py and engine/training.py, 2.12 saving/legacy/serialization.py).
   * Loading an HDF5 file remembers from its start, a functional model from its own; at the end of a functional model all
   * is forgotten, that of the models around it too.
   */
  legacy: Map<number, SharedLayer> | null;
  readonly isLegacyRead: boolean;
  /** Entries with a module (Keras 3.15 saving/serialization_lib.py): for a whole archive, and in no other kind of file. */
  readonly archive: Map<number, SharedLayer> | null;
  /** Every mark met so far, with class and name: what is marked again and not known any more has been forgotten. */
  readonly met: Set<string>;
}
