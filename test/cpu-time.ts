/**
 * Milliseconds of processor time that this process has taken. Limits on what hostile input may cost are held against it and not
 * against the clock, which on a busy machine runs while other programs work.
 */
export function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
