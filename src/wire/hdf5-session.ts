/** What stands between the C library and the reading of a file: its calls, and one open file of it. */

import type { RawMetadata } from "./hdf5-values.ts";

/** The calls of h5wasm that are used; see its src/hdf5_util.cc. */
export interface RawModule {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  UTF8ToString(pointer: number): string;
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint;
  close_file(file: bigint): number;
  get_names(file: bigint, path: string, recursive: boolean): string[];
  get_type(file: bigint, path: string): number;
  get_symbolic_link(file: bigint, path: string): string | null;
  get_external_link(file: bigint, path: string): { filename?: string; obj_path?: string };
  get_attribute_names(file: bigint, path: string): string[];
  get_attribute_metadata(file: bigint, path: string, name: string): RawMetadata;
  get_attribute_data(file: bigint, path: string, name: string, pointer: bigint): number;
  reclaim_vlen_memory(file: bigint, path: string, name: string, pointer: bigint): number;
  get_dataset_metadata(file: bigint, path: string): RawMetadata;
  create_object_reference(file: bigint, path: string): readonly number[];
}

/** What a file needs of the library it was opened with. */
export interface Hdf5Session {
  readonly file: string;
  readonly module: RawModule;
  readonly id: bigint;
  /** Bytes of the source. */
  readonly size: number;
  /** Where the HDF5 part starts; not 0 when there is a user block. */
  readonly base: number;
  /** Bytes at a position, or `null` when there are not so many. */
  readAt(position: number, length: number): DataView | null;
  /** Bytes at an address of the file, for reading it without the library; what is looked at is counted. */
  look(address: number, length: number, atMost?: boolean): DataView | null;
  /** Counts work on bytes that were looked at before. */
  countBytes(length: number): void;
  /** Counts steps the library walks beyond those of the path that each call walks once. */
  countSteps(steps: number): void;
  /** Runs one call. Throws what the source threw, a limit, or a `MalformedFileError` with the library's own words. */
  call<T>(what: string, at: string, run: () => T): T;
  close(): void;
}
