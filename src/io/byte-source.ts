/** Bytes by position: the one seam between the formats and where files live. */
export interface ByteSource {
  /** For messages; never opened as a path. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`.
   * @throws SourceReadError when they cannot be had, also when the range leaves the source.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The same at once, where the host can. */
  readSync?(offset: number, length: number): Uint8Array;
  /** Gives back what the host holds for it (a descriptor); later reads fail. Whoever opened it calls this. */
  close?(): void;
  /**
   * A file beside this one, by plain file name (no folders), or `null` when there is none.
   * Absent when the source has no neighbours (a stream, a Blob).
   */
  companion?(name: string): Promise<ByteSource | null>;
}
