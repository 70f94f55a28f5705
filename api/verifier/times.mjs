/** Times as text for people. */

const YEAR_9999 = 253_402_300_799;

/** Return a block's time as text. @param {number} time Unix seconds, UTC */
export function timeText(time) {
  if (time > YEAR_9999) return `Unix time ${time}`;
  return `${new Date(1000 * time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Return the day of a time, or the time if it has no date. @param {number} time Unix seconds, UTC */
export function dayText(time) {
  return time > YEAR_9999 ? timeText(time) : timeText(time).slice(0, 10);
}
