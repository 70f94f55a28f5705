/** What was given is malformed, or a check was carried out and its answer is no. */
export class Refused extends Error {
  /**
   * @param {string} message One sentence: what was wrong.
   * @param {string} hint What to do about it, as a sentence, or empty.
   * @param {{kind: string} | null} reason The same for other languages, where it is a common one: a code and its values.
   */
  constructor(message, hint = "", reason = null) {
    super(message);
    this.name = "Refused";
    this.hint = hint;
    this.reason = reason;
  }
}
