import { escapeText } from "../public/index.ts";
import type { Host } from "./host.ts";

/** Shorter work is over before a line about it is read. */
const patienceMs = 500;
/** A faster line only flickers. */
const intervalMs = 100;

/** A line on standard error that tells what is being read: in a terminal only, and only when it takes long. */
export class Progress {
  readonly #host: Host;
  readonly #name: string;
  readonly #start: number;
  #shownAt: number | undefined;

  constructor(host: Host, name: string) {
    this.#host = host;
    this.#name = name;
    this.#start = host.now();
  }

  readonly report = (step: string): void => {
    const { stderr } = this.#host;
    const now = this.#host.now();
    if (!stderr.isTTY || now - (this.#shownAt ?? this.#start + patienceMs - intervalMs) < intervalMs) return;
    this.#shownAt = now;
    const line = escapeText(`${this.#name}: ${step} ...`);
    stderr.write(`\r\u001b[K${[...line].slice(0, (stderr.columns ?? 80) - 1).join("")}`);
  };

  /** Wipes the line, so that the next thing written stands alone. */
  end(): void {
    if (this.#shownAt !== undefined) this.#host.stderr.write("\r\u001b[K");
    this.#shownAt = undefined;
  }
}
