import { type Item, labelOf, means } from './items.js'
import { target } from './target.js'

/** The items that a PATTERN means: a NAME as every command takes it, or one with `*` and `?`, with or without its slash. */
export function pattern(text: string): (item: Item) => boolean {
  if (!/[*?]/.test(text)) {
    const meant = target(text)
    return item => means(meant, item)
  }
  const parts = text.replace(/^\//, '').replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
  const expression = new RegExp(`^/?${parts.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
  return item => expression.test(item.name ?? labelOf(item))
}
