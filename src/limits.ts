/**
 * Every cap on untrusted input, with its reason. A file that passes one ends in `LimitExceededError`, which names
 * the constant. The figures are chosen from what real files reach, with room: a cap that honest files meet is a bug.
 * Those of one format stand in `limits/`.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

// JSON ---------------------------------------------------------------------------------------------------------

/**
 * A `config.json` or `model_config` text. The largest real ones (BERT-like graphs, TextVectorization vocabularies
 * written inline) are 1-10 MB; V8 refuses strings above 512 MB anyway, and parsing costs about 10 bytes of heap a byte.
 */
export const maxJsonBytes: number = 128 * MiB;

/**
 * Nesting of arrays and objects. Keras nests about 6 levels a nested model; 1000 is far above any model and far
 * below the depth at which recursive code that walks the result would run out of stack (about 8000 frames).
 */
export const maxJsonDepth = 1000;

/**
 * Values in one JSON text. Each takes up to 64 bytes of heap, so `[[],[],...]` of 128 MiB would take 3 GB and end the
 * process. The largest real texts, with vocabularies written inline, have about a million.
 */
export const maxJsonValues = 5_000_000;

// Zip ----------------------------------------------------------------------------------------------------------

/** Entries of one archive. A large `torch.save` has one entry a tensor: a few thousand. */
export const maxZipEntries = 100_000;

/** Central directory bytes, read as one block: 100 000 entries with names of 100 bytes take 15 MB. */
export const maxZipDirectoryBytes: number = 64 * MiB;

/**
 * An entry that has to be inflated lives in memory. Re-zipped `.keras` files hold the weights deflated, so this
 * is also the largest compressed model that can be read; a bigger one has to be stored, as Keras writes it.
 */
export const maxInflatedBytes: number = 1024 * MiB;

/** Deflate cannot pass 1032:1, and JSON of repeated layers reaches 50:1. Above this only bombs live. */
export const maxInflateRatio = 250;

/** Entries below this size may have any ratio: 1 MiB of zeros is no bomb, and tiny files compress oddly. */
export const inflateRatioFreeBytes: number = 4 * MiB;

// Sources ------------------------------------------------------------------------------------------------------

/**
 * HDF5 wants synchronous positioned reads. Where the host has none (a Blob on the main thread), the whole file is
 * read into memory first; this is the largest that is taken in.
 */
export const maxWholeFileBytes: number = 1024 * MiB;

/** A pipe is spooled to a temporary file, because the formats need random access. */
export const maxSpooledBytes: number = 16 * 1024 * MiB;

/** Shards that one index may name. The largest published checkpoints have a few hundred. */
export const maxShards = 4096;

// Models -------------------------------------------------------------------------------------------------------

/** Layers of one model, nested ones included. EfficientNet-B7 has 813; unrolled graphs reach some 10 000. */
export const maxKerasLayers = 100_000;

/** Characters of the name or class of a layer. Real ones have up to some hundred; HDF5 links stop at 64 KiB. */
export const maxNameLength: number = 64 * KiB;

/**
 * Characters of the names of all layers together, each with the names of the models around it. A model whose name takes
 * 60 KiB, around 100 000 layers, would be a report of 6 GB from a file of 10 MB.
 */
export const maxNameText: number = 16 * MiB;

/** Models inside models, and wrappers inside wrappers. Published ones nest 3 deep. */
export const maxKerasNesting = 64;

/**
 * Elements of all tensors of a file together, and of all weights of a model: 70 trillion, where the largest published
 * models have some. So every sum over them (also in bytes, also six optimizer slots each) is a whole number below
 * 2^53 and exact; a tensor that would go past it is left out and reported.
 */
export const maxModelElements: number = 2 ** 46;

/** Nesting in a model written as JSON, which is checked by functions that call themselves: graphs in graphs, sizes made of sizes. */
export const maxDocumentDepth = 256;

/** Slots of an optimizer in such a model, each of which is printed: the greediest of Keras has six. */
export const maxOptimizerSlots = 64;

/** Diagnostics in a report. A damaged file can give one for each of half a million objects; nobody reads so many. */
export const maxDiagnostics = 10_000;

/**
 * Terms of a symbolic dimension, and factors of one term. Shapes of published models have up to some ten; a chain of
 * products of sums would grow without end.
 */
export const maxSymbolicTerms = 32;

/** Functions inside functions of a symbolic dimension. Ten rounded halvings one after another become one division. */
export const maxSymbolicDepth = 16;

// Operators ----------------------------------------------------------------------------------------------------

/**
 * Dimensions of a tensor: NumPy and HDF5 stop at 32 (NumPy 2 at 64). A value of more has an unknown shape: ten
 * thousand dimensions handed down a chain of ten thousand layers would be 100 million numbers.
 */
export const maxRank = 64;

/** Numbers that a shape may depend on, of one value: longer vectors are no shapes, TensorFlow has at most 254 axes. */
export const maxKnownValues = 254;

/** Operands of one operation whose elements are worked out, each with each: sums of more are no sizes. */
export const maxFoldedOperands = 64;

/** The power of a named size that is multiplied out: larger ones are no sizes. */
export const maxSymbolicPower = 8;

/** An einsum equation, or a pattern of einops: letters name axes, which tensors have few of, and patterns are typed by hand. */
export const maxEquationCharacters = 1000;

/** Times the body of a loop is gone through before what still changes is given up as unknown: a dimension changes once, a value once. */
export const maxLoopRounds = 8;

/**
 * Outputs one operation may have (split, unstack). Unstacking a sequence of a few thousand steps is real; printing the
 * shapes of a million takes 15 seconds.
 */
export const maxOperationOutputs = 20_000;

/**
 * Steps of one shape inference: one for each rule applied, for each of its inputs and for each of its outputs. A model
 * of 10 000 layers takes 30 000; nested models run again for each new input shape, which can double with every level,
 * and this ends that within a second or two.
 */
export const maxInferenceSteps = 1_000_000;

/**
 * Steps that a run of a graph inside an operation (a branch, the body of a loop) takes for itself, beside those of its
 * rules: it costs about as much time as so many. Loops run their body two or three times until nothing changes, so that 30
 * of them one inside the other reach the limit above, which took 5 seconds when only rules counted.
 */
export const subgraphRunSteps = 20;

// Protobuf -----------------------------------------------------------------------------------------------------

/** Messages inside messages: protobuf's own readers stop at 100. An ONNX graph in a graph takes 3 levels. */
export const maxProtobufDepth = 100;

/**
 * Messages of one file. A graph of 100 000 nodes with five attributes and ten pairs of metadata each has 1.6 million;
 * an empty message takes 2 bytes in a file and up to 500 in memory.
 */
export const maxProtobufMessages = 4_000_000;

/**
 * Pieces that one message is written in. Files put together with `cat` have two; each piece costs a look at all that came
 * before it.
 */
export const maxProtobufPieces = 64;

/** Texts of one file, and their bytes: a graph of 100 000 nodes has 2 million names, in some 100 MB with metadata. */
export const maxProtobufTexts = 16_000_000;
export const maxProtobufTextBytes: number = 512 * MiB;

// Summaries ----------------------------------------------------------------------------------------------------

/** Lines of a name in a table; in one of more, line breaks are shown as `\n`. Each is a row of 80 characters for one byte of a file. */
export const maxCellLines = 32;
