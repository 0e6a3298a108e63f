// The holders of a limit's permits, as text.

import { count } from './format.js'
import type { Item } from './items.js'
import { describePid } from './processes.js'

/** The number of held permits; undefined where the number of permits is not recorded. */
export function heldPermits({ permits, free }: Pick<Item, 'permits' | 'free'>): number | undefined {
  return permits === null || free === null ? undefined : Math.max(0, permits - free)
}

/** `2/2`: the held permits and all permits. */
export function heldShare(item: Item): string | undefined {
  const held = heldPermits(item)
  return held === undefined ? undefined : `${held}/${item.permits}`
}

/**
 * The holders of a limit's permits: `4711 node worker.js, 4712 node worker.js (2 permits)`; undefined when no process holds one, or
 * where the system does not tell. At most the given number of processes is named.
 */
export function holdersText(
  { holders, unnamed }: Pick<Item, 'holders' | 'unnamed'>,
  most = 8,
): string | undefined {
  const all = holders ?? []
  const rest = all.slice(most).reduce((sum, { permits }) => sum + permits, unnamed ?? 0)
  const named = all
    .slice(0, most)
    .map(({ pid, permits }) => `${describePid(pid)}${permits > 1 ? ` (${count(permits, 'permit')})` : ''}`)
  const texts = [
    ...named,
    ...(rest > 0 ? [`${named.length > 0 ? 'other ' : ''}processes (${count(rest, 'permit')})`] : []),
  ]
  return texts.length > 0 ? texts.join(', ') : undefined
}
