/** Caps on ONNX files, beside those on any protobuf message. */

const KiB = 1024;
const MiB = 1024 * KiB;

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
