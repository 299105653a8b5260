/** So many pieces are put together at a time: those of a table's lines then take 100 kB and more. */
const piecesOfBlock = 1000;

/** A text of very many pieces, put together in blocks: a hundred thousand strings by themselves fill the memory. */
export class LongText {
  private readonly blocks: string[] = [];
  private pieces: string[] = [];

  add(piece: string): void {
    if (this.pieces.push(piece) === piecesOfBlock) this.endBlock();
  }

  end(): string {
    this.endBlock();
    return this.blocks.join("");
  }

  private endBlock(): void {
    this.blocks.push(this.pieces.join(""));
    this.pieces = [];
  }
}
