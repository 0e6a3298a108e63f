/** The most statements that a session keeps prepared, and the most texts whose uses it counts. */
const MOST_PREPARED = 64
const MOST_COUNTED = 256

/** The number of uses from which on a statement is prepared: preparing costs as much as two uses. */
const FREQUENT = 3

/** The statements of a session that are prepared on the server. */
export class PreparedTexts {
  readonly #names = new Map<string, string>()
  readonly #uses = new Map<string, number>()

  /** The name under which a statement is prepared. */
  nameOf(text: string): string {
    let name = this.#names.get(text)
    if (name === undefined) {
      name = `os_ipc_${this.#names.size}`
      this.#names.set(text, name)
    }
    return name
  }

  /** The name of a statement that is used often enough to be prepared; `undefined` for others. */
  nameOfFrequent(text: string): string | undefined {
    const name = this.#names.get(text)
    if (name !== undefined || this.#names.size >= MOST_PREPARED) return name
    const uses = (this.#uses.get(text) ?? 0) + 1
    this.#uses.delete(text)
    if (uses >= FREQUENT) return this.nameOf(text)
    this.#uses.set(text, uses)
    if (this.#uses.size > MOST_COUNTED) this.#uses.delete(this.#uses.keys().next().value as string)
    return undefined
  }
}
