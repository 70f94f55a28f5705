/** Times as people read them. */

const YEAR_9999 = 253_402_300_799;

/** A block's time. @param {number} time Unix seconds, UTC */
export function timeText(time) {
  if (time > YEAR_9999) return `Unix time ${time}`;
  return `${new Date(1000 * time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The day of a time, or the time where it has no date. @param {number} time Unix seconds, UTC */
export function dayText(time) {
  return time > YEAR_9999 ? timeText(time) : timeText(time).slice(0, 10);
}
