/** The word of `known` that was probably meant: a few letters differ, or the text is its beginning. */
export function closest(meant: string, known: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/^[/-]+/, '')
  let best: string | undefined
  // A short word may have one wrong letter, a long one three.
  let limit = Math.min(3, Math.max(1, Math.floor(plain(meant).length / 3))) + 1
  for (const candidate of known) {
    const off = distance(plain(meant), plain(candidate))
    if (off < limit) [best, limit] = [candidate, off]
  }
  if (best !== undefined || plain(meant).length < 2) return best
  const begun = [...known].filter(candidate => plain(candidate).startsWith(plain(meant)))
  return begun.length === 1 ? begun[0] : undefined
}

/** The number of letters to add, remove, change, or swap with their neighbour. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const line = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      line[column] = Math.min(
        (line[column - 1] as number) + 1,
        (last[column] as number) + 1,
        (last[column - 1] as number) + (same ? 0 : 1),
        swapped ? (beforeLast[column - 2] as number) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = line
  }
  return last[to.length] as number
}
