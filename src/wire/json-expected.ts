/**
 * Guesses what comes next, of things that come in much the same order again and again: networks repeat their blocks. A guess is
 * right once a block has come twice, whatever is in it more than once.
 */
export class Expected<Item extends { came: number }> {
  private readonly items: Item[] = [];
  private place = 0;

  get next(): Item | undefined {
    return this.items[this.place];
  }

  /** Is told what came. `came` of an item, -1 at first, is written here alone. */
  add(item: Item): void {
    const { items } = this;
    // What comes as expected is part of a block that is followed; anything else begins where it was last, and what is new may stay.
    if (items[this.place] === item) this.place += 1;
    else this.place = item.came < 0 ? items.length : item.came + 1;
    item.came = items.length;
    items.push(item);
  }
}
