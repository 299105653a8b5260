/**
 * Errors: thrown when we cannot go on. What we can work around is a diagnostic (see diagnostics.ts).
 * Every class has a `kind` to narrow on without `instanceof`, which fails across realms and package copies.
 */

/** Base of every error this package throws on purpose. */
export abstract class ModelError extends Error {
  abstract readonly kind: ModelErrorKind;
  /** Name of the file or stream the error is about, when known. */
  readonly file: string | undefined;

  constructor(message: string, options: { file?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.file = options.file;
  }
}

export type ModelErrorKind =
  | "unknown-format"
  | "malformed-file"
  | "unsupported-feature"
  | "limit-exceeded"
  | "source-read"
  | "invalid-option"
  | "invalid-model";

/** Nothing we know matches the bytes. The message says what they look like and what to do. */
export class UnknownFormatError extends ModelError {
  override readonly name = "UnknownFormatError";
  readonly kind = "unknown-format";
}

/** The bytes contradict the format they claim. `at` is a path inside the file (an HDF5 path, a JSON path, an entry). */
export class MalformedFileError extends ModelError {
  override readonly name = "MalformedFileError";
  readonly kind = "malformed-file";
  readonly at: string | undefined;

  constructor(
    message: string,
    options: { file?: string | undefined; at?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options);
    this.at = options.at;
  }
}

/** The file is valid, but uses something this version does not handle. */
export class UnsupportedFeatureError extends ModelError {
  override readonly name = "UnsupportedFeatureError";
  readonly kind = "unsupported-feature";
}

/** A cap of limits.ts was passed: which one, the actual figure, and the maximum. */
export class LimitExceededError extends ModelError {
  override readonly name = "LimitExceededError";
  readonly kind = "limit-exceeded";
  readonly limit: string;
  readonly actual: number;
  readonly maximum: number;

  constructor(
    message: string,
    facts: { limit: string; actual: number; maximum: number; file?: string | undefined },
  ) {
    super(message, { file: facts.file });
    this.limit = facts.limit;
    this.actual = facts.actual;
    this.maximum = facts.maximum;
  }
}

/** The bytes did not come: the disk, the network or the stream failed, or the source is shorter than it said. */
export class SourceReadError extends ModelError {
  override readonly name = "SourceReadError";
  readonly kind = "source-read";
  readonly offset: number | undefined;
  readonly length: number | undefined;

  constructor(
    message: string,
    facts: {
      offset?: number | undefined;
      length?: number | undefined;
      file?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { file: facts.file, cause: facts.cause });
    this.offset = facts.offset;
    this.length = facts.length;
  }
}

/** The caller asked for something that cannot be: a wrong option or argument. */
export class InvalidOptionError extends ModelError {
  override readonly name = "InvalidOptionError";
  readonly kind = "invalid-option";
}

/** An importer produced a model that breaks the rules of src/ir: a bug of ours, worth a report. */
export class InvalidModelError extends ModelError {
  override readonly name = "InvalidModelError";
  readonly kind = "invalid-model";
}

/**
 * Runs `write`. A text longer than a string can be (512 MB in V8), which only a hostile file comes to, is a limit like
 * any other and not a crash.
 */
export function withinStringLength(file: string, write: () => string): string {
  try {
    return write();
  } catch (cause) {
    if (!(cause instanceof RangeError) || !/string length/i.test(cause.message)) throw cause;
    throw new LimitExceededError(`${file}: the output is longer than a text can be`, {
      limit: "string length",
      actual: Number.POSITIVE_INFINITY,
      maximum: 2 ** 29,
      file,
    });
  }
}

const kinds: ReadonlySet<string> = new Set<ModelErrorKind>([
  "unknown-format",
  "malformed-file",
  "unsupported-feature",
  "limit-exceeded",
  "source-read",
  "invalid-option",
  "invalid-model",
]);

/** True for any error this package throws on purpose, also one from another copy of the package. */
export function isModelError(error: unknown): error is ModelError {
  return error instanceof Error && "kind" in error && kinds.has(String(error.kind));
}
