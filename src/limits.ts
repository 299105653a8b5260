/**
 * Every cap on untrusted input, with its reason. A file that passes one ends in `LimitExceededError`, which names
 * the constant. The figures are chosen from what real files reach, with room: a cap that honest files meet is a bug.
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

// Pickle -------------------------------------------------------------------------------------------------------

/**
 * Bytes of one pickle that are read. `data.pkl` is metadata, 100 to 200 bytes a tensor: 10 000 tensors take 2 MB; training
 * logs and tokenizers kept beside them reach some 10 MB. Long strings inside are passed over and do not count.
 */
export const maxPickleBytes: number = 256 * MiB;

/** Steps of one pickle. A checkpoint of 10 000 tensors with its optimizer takes a million; 20 million take a second or two. */
export const maxPickleOpcodes = 20_000_000;

/** Containers, calls and records that one pickle builds, about 100 bytes each: 10 000 tensors with their optimizer make 200 000. */
export const maxPickleObjects = 4_000_000;

/** Values on the stack. It grows with the longest tuple, and with nesting: picklers hand over lists in batches of 1000. */
export const maxPickleStack = 2_000_000;

/** Marks that are open at once: one a level of nesting. Python itself pickles some 1000 levels deep at most. */
export const maxPickleMarks = 100_000;

/** A longer string or byte string is not kept: where it is and how long is all that is known of it. Names have some hundred. */
export const maxPickleStringBytes: number = 1 * MiB;

/** Text lines that end an argument (protocol 0), where the end has to be looked for. */
export const maxPickleLineBytes: number = 1 * MiB;

/** Names to import that are listed. A pickled network of many classes has some hundred; nobody reads more. */
export const maxPickleGlobals = 1000;

/**
 * Characters of a module or a name to import: real ones have up to some hundred. Opcodes can ask for the same two texts millions
 * of times, and each time costs what they are long.
 */
export const maxPickleNameLength = 1024;

/** Different names to import, some kilobytes each at most: a pickled network has some hundred. */
export const maxPickleNames = 100_000;

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

/** Bytes of one whole number. Random states have 2500 bytes in some 600 numbers; turning digits to bits is not linear. */
export const maxPickleIntegerBytes = 4096;

// HDF5 ---------------------------------------------------------------------------------------------------------

/** Links listed in one file. A model of 20 000 layers whose optimizer has two slots makes 160 000 objects. */
export const maxHdf5Objects = 500_000;

/** Links in one group: the names of a group come over in one block. */
export const maxHdf5LinksPerGroup = 200_000;

/** Names in one group, looked at without the library: those of 200 000 links take some 10 MB. */
export const maxHdf5NameBytes: number = 64 * MiB;

/** Height of the tree that lists the links of a group: at 16 it has more leaves than any file has bytes. */
export const maxHdf5TreeLevel = 16;

/** Blocks of one header: real ones have a handful of messages in one to three; a damaged one may point at itself. */
export const maxHdf5HeaderBlocks = 64;

/** One of these blocks: messages end at 64 KiB, and there is room for a dozen of that length. */
export const maxHdf5BlockBytes: number = 1 * MiB;

/** Components of a path. Keras nests 2 to 4 levels a nested model, of which published ones have 3. */
export const maxHdf5Depth = 64;

/**
 * Bytes of headers and names that are looked at without the library, 512 at least for each look. The 160 000 objects
 * above take 221 MiB and 2 seconds; 100 000 empty groups take 213 MiB and 1.6 seconds. No file takes more than some 4.
 */
export const maxHdf5HeaderBytes: number = 384 * MiB;

/**
 * Steps the HDF5 library walks, always from the root, with 15 more for each call: 2 to 4 microseconds each, so that all
 * end within 2 seconds. It is asked about what Keras does not write (chunked data, the newer formats): 12 000 such objects
 * at the top of a file, or 100 that are sixty levels deep. Models as Keras writes them take fewer than 1000 steps.
 */
export const maxHdf5PathWork = 500_000;

/** Bytes of one attribute: `model_config` is the large one, and it is JSON. */
export const maxHdf5AttributeBytes: number = 128 * MiB;

/** Elements of one attribute: `weight_names` is the long one, in chunks of 64 kB. */
export const maxHdf5AttributeElements = 1_000_000;

/**
 * Reads the HDF5 library may make on one file, and bytes they may add up to. Objects as Keras writes them need none;
 * 20 000 chunked datasets take 25 000 reads of 12 MB together.
 */
export const maxHdf5Reads = 500_000;
export const maxHdf5ReadBytes: number = 1024 * MiB;

/** One read of the library: metadata blocks are small, the largest real one is a global heap of one attribute. */
export const maxHdf5SingleReadBytes: number = 256 * MiB;

/**
 * Memory of the HDF5 library. A variable-length attribute of a million elements that all point at the same 100 kB would
 * take 100 GB; honest files stay within the 19 MB it starts with.
 */
export const maxHdf5HeapBytes: number = 512 * MiB;

/** Times the library may trap or throw on one file before the file is given up. */
export const maxHdf5Faults = 64;

/** Length of a path in a file. Nested models reach some hundred characters; each object's path is handed over whole. */
export const maxHdf5PathLength: number = 8 * KiB;

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

// ONNX ---------------------------------------------------------------------------------------------------------

/**
 * Elements of a tensor whose values are read, because shapes depend on them: whole numbers are shapes, axes, indices
 * and permutations, of which tables of relative positions are the longest. Real numbers are scales of Resize and bounds
 * of Clip and Range.
 */
export const maxOnnxIntegerValues = 4096;
export const maxOnnxFloatValues = 256;

/** Numbers of one attribute that are kept. Shapes and axes are short; tree ensembles list millions of coefficients. */
export const maxOnnxAttributeValues = 4096;

/** Numbers kept of all tensors and attributes of a file; what comes later stays unread. 64 MB of memory. */
export const maxOnnxValues = 8_000_000;

/** Bytes of a string in an attribute. Compiled models stored in one (EPContext) take megabytes and say nothing here. */
export const maxOnnxStringBytes: number = 16 * KiB;

/** Bytes of a metadata value. Class names of a detector take 10 kB; module paths of a node stay below 2 kB. */
export const maxOnnxMetadataBytes: number = 64 * KiB;

/** Bytes of an exported program's signature: some 110 for each parameter and buffer, of which no network has 70,000. */
export const maxOnnxSignatureBytes: number = 8 * MiB;

/**
 * Nodes of one file, those of subgraphs and functions too. Unrolled networks reach some 50 000. A node costs a quarter of a
 * millisecond from the file to the printed row, and some 10 kB of memory.
 */
export const maxOnnxNodes = 200_000;

/** Inputs of one node, and outputs. Sequences of a few thousand steps are joined by one Concat. */
export const maxOnnxNodeValues = 20_000;

/** Nodes that opening functions may put into a graph: functions that call each other twice double with every level. */
export const maxOnnxInlinedNodes = 50_000;

/** Dimensions of one tensor that are read: more are no tensor's, and would only fill the memory. */
export const maxOnnxDims = 1024;

/** Nodes looked at for one value that nothing fed to the model goes into: what is larger is no way of writing down a weight. */
export const maxOnnxStaticNodes = 64;

/** Nodes followed at each step behind one without a name: a value may have as many consumers as the file has nodes. */
export const maxOnnxWays = 4;

/** Graphs in graphs and functions in functions. Exporters nest a module in a module, some ten deep. */
export const maxOnnxNesting = 64;

// Exported programs of PyTorch ----------------------------------------------------------------------------------

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

// Summaries ----------------------------------------------------------------------------------------------------

/** Lines of a name in a table; in one of more, line breaks are shown as `\n`. Each is a row of 80 characters for one byte of a file. */
export const maxCellLines = 32;
