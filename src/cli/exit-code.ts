/** Exit codes, the whole list. A higher one outranks a lower one when several files end differently. */
export const exitCode = {
  fine: 0,
  /** The command was not understood. */
  usage: 2,
  /** A file could not be read, or the output could not be written. */
  unreadable: 3,
  /** Our bug. */
  bug: 70,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
