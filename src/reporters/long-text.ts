/** So many pieces are put together at a time: those of a table's lines then take 100 kB and more. */
const piecesOfBlock = 1000;

/** Characters of the longest string that V8 makes. */
const longestString = 2 ** 29 - 24;

/** A text of very many pieces, put together in blocks: a hundred thousand strings by themselves fill the memory. */
export class LongText {
  private readonly blocks: string[] = [];
  private pieces: string[] = [];
  private length = 0;

  add(piece: string): void {
    if (this.pieces.push(piece) === piecesOfBlock) this.endBlock();
  }

  end(): string {
    this.endBlock();
    return this.blocks.join("");
  }

  private endBlock(): void {
    const block = this.pieces.join("");
    this.length += block.length;
    // Not only when all are put together: until then they would have filled the memory.
    if (this.length > longestString) throw new RangeError("Invalid string length");
    this.blocks.push(block);
    this.pieces = [];
  }
}
