/** The error for malformed input and for failed checks. */
export class Refused extends Error {
  /**
   * @param {string} message One sentence: what was wrong.
   * @param {string} hint What to do about it, as a sentence, or empty.
   * @param {{kind: string} | null} reason For common errors, a code and its values, from which other languages make a sentence.
   */
  constructor(message, hint = "", reason = null) {
    super(message);
    this.name = "Refused";
    this.hint = hint;
    this.reason = reason;
  }
}
