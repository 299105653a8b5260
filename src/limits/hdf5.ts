/** Caps on HDF5 files, and on what the library that reads them may take. */

const KiB = 1024;
const MiB = 1024 * KiB;

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
