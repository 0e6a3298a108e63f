/** How many statements a session keeps prepared, and how many texts it counts until one is. */
const MOST_PREPARED = 64
const MOST_COUNTED = 256

/** From this use on a statement is prepared: preparing costs as much as two uses. */
const FREQUENT = 3

/** Which statements of a session are prepared on the server. */
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

  /** The same for a statement that is used often enough; `undefined` for others. */
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
