import { usage } from './failure.js'
import { hexKey } from './format.js'
import { keyOf } from './key.js'
import { printable } from './text.js'

/** The meaning of a NAME on the command line. */
export type Target =
  | {
      readonly type: 'name'
      readonly name: string
      readonly text: string
      readonly key: number
      readonly label: string
    }
  | { readonly type: 'key'; readonly key: number; readonly label: string }
  /** The id of a segment; the only name of one without a key. */
  | { readonly type: 'id'; readonly id: number; readonly label: string }

/**
 * Reads a NAME: `jobs` and `/jobs` are the same name, a number (`42`, `0x2a`) is a raw System V key, and `id:7` is the id
 * of a System V segment. A name of digits is written with its slash: `/42`.
 */
export function target(text: string): Target {
  const id = /^id:(\d{1,10})$/.exec(text)
  if (id) return { type: 'id', id: Number(id[1]), label: text }
  if (/^(-?\d+|0x[0-9a-f]+)$/i.test(text)) {
    const key = Number(text)
    if (key < -(2 ** 31) || key > 2 ** 32 - 1) {
      throw usage(`${text} is not a System V key: a key has 32 bits`, `a name of digits is written /${text}`)
    }
    return { type: 'key', key: key | 0, label: `key ${hexKey(key)}` }
  }
  const name = text.startsWith('/') ? text : `/${text}`
  return { type: 'name', name, text, key: keyOf(name), label: printable(name) }
}

/** The name or key for the library, which does not take `id:7`. */
export function libraryId(target: Target): string | number {
  if (target.type === 'id') throw usage(`${target.label} is the id of a segment, and this command takes none`)
  return target.type === 'name' ? target.name : target.key
}
