/** Caps on checkpoints, TorchScript archives and exported programs of PyTorch. */

const KiB = 1024;
const MiB = 1024 * KiB;

// Checkpoints -------------------------------------------------------------------------------------------------

/** Tensors and modules of one checkpoint: zip archives stop at 100 000 storages, optimizers keep two or three tensors a parameter. */
export const maxTorchTensors = 300_000;
export const maxTorchModules = 100_000;

/** Entries of containers that are gone through again, since several objects are handed one: real objects have their own. */
export const maxTorchSharedEntries = 2_000_000;

/** Levels of containers in a checkpoint. Modules nest some 30 deep, each with three dictionaries. */
export const maxTorchDepth = 400;

/** Levels and values of the state of one tensor that are looked at: that of a quantised weight has 3 levels and some 30 values. */
export const maxTorchStateDepth = 8;
export const maxTorchStateValues = 128;

/** Steps over elements that tell overlapping windows apart; a whole column view of a large embedding takes 30 million. */
export const maxTorchOverlapSteps: number = 2 ** 25;

/** Code of a TorchScript archive, read for the headers of its classes. Large networks have some megabytes of it. */
export const maxScriptBytes: number = 64 * MiB;

// Exported programs --------------------------------------------------------------------------------------------

/** An expression for a size. Those of real programs have up to a few hundred characters; deep resizing ones some thousand. */
export const maxSymIntCharacters = 4096;

/** Brackets in brackets of such an expression; real ones have ten or so. */
export const maxSymIntDepth = 64;

/** Generated source of a compiled program: some 2 kB an operation, some 5 MB for the largest networks. */
export const maxCompiledSourceBytes: number = 64 * MiB;

/** Files of torch.save in the archive of a policy that are read: an algorithm has a policy, variables and at most four optimizers. */
export const maxPolicyEntries: number = 32;

/** The modules around one node: ten paths and classes, some 2 kB. */
export const maxModuleStackCharacters: number = 64 * KiB;

/** One of them: a path of twenty names twice and a class, some 500. How long it takes to tell one from two grows with the square. */
export const maxModuleEntryCharacters: number = 2 * KiB;

/** Graphs in graphs: branches and loop bodies in one another. */
export const maxExportedNesting = 32;

// safetensors --------------------------------------------------------------------------------------------------

/** The format's own limit on its header: some 800 000 tensors. */
export const maxSafetensorsHeaderBytes = 100_000_000;

/** `config.json` beside the weights: with 21 000 labels and their names it comes to 2 MB. */
export const maxModelConfigBytes: number = 16 * MiB;

/**
 * Small tensors whose bytes are read because they state the shape of a packed weight, each at most so long: bitsandbytes keeps
 * some 200 bytes of JSON for each of a few thousand weights.
 */
export const maxSmallValues = 10_000;
export const maxSmallValueBytes = 4096;

/**
 * Layers that are looked through behind one row for its weights and for the rows it is connected with: a decomposed layer
 * has some dozens, and following thousands for each of thousands of rows takes time that grows with the square of the file.
 */
export const maxOriginsBehind = 1000;

/** Levels of modules that are told apart: networks have some ten, and a name made of slashes could ask for any number. */
export const maxModuleDepth = 64;

/**
 * Characters of the module paths around all rows of a state dict or graph. 100 000 rows ten modules deep have 40 MB; names made of dots
 * could ask for any number, and rows beyond it stand by themselves.
 */
export const maxModuleText: number = 64 * MiB;
