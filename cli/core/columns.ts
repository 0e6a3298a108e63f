// The columns that `ls` and `top` show.

import { size, span } from './format.js'
import { heldShare } from './holders.js'
import { type Item, labelOf, madeAt } from './items.js'
import { paint } from './output.js'
import type { Column } from './table.js'

/** The cell of a value that is unknown or does not apply. */
const NONE = '-'

export const KIND: Column<Item> = {
  title: 'KIND',
  cell: ({ type }) => type,
}

export const NAME: Column<Item> = {
  title: 'NAME',
  least: 12,
  // Names often differ at their end.
  cut: 'middle',
  cell: item => (item.removed ? `${labelOf(item)} (removed)` : labelOf(item)),
}

/** The id of a System V object; the system of any other. */
export const ID: Column<Item> = {
  title: 'ID',
  side: 'right',
  cell: ({ id, system }) => `${id ?? (system === 'sysv' ? NONE : system)}`,
}

export const VALUE: Column<Item> = {
  title: 'VALUE',
  side: 'right',
  cell: item => heldText(item) ?? permitsText(item) ?? messagesText(item) ?? `${item.value ?? NONE}`,
}

export const WAITERS: Column<Item> = {
  title: 'WAITERS',
  side: 'right',
  cell: ({ waiters }) => (waiters ? paint('yellow', `${waiters}`) : `${waiters ?? NONE}`),
}

export const SIZE: Column<Item> = {
  title: 'SIZE',
  side: 'right',
  cell: ({ size: bytes, capacity }) =>
    bytes === null && capacity === null ? NONE : size(bytes ?? capacity ?? 0),
}

/** The mode of a lock; undefined for an item that is not a lock. */
export function heldText({ type, exclusive, shared }: Item): string | undefined {
  if (type !== 'lock') return undefined
  return exclusive ? 'held' : shared ? `shared ${shared}` : 'free'
}

/** The number of held permits of a limit; undefined for an item that is not a limit. */
export function permitsText(item: Item): string | undefined {
  if (item.type !== 'limit') return undefined
  // A limit of 0 permits grants none.
  return item.permits === 0 ? 'paused' : `${heldShare(item)} used`
}

/** The messages of a channel, and how full it is; undefined for an item that is not a channel. */
export function messagesText({ type, messages, bytes, capacity, ended }: Item): string | undefined {
  if (type !== 'channel') return undefined
  const share = `${messages} (${Math.ceil((100 * (bytes ?? 0)) / (capacity || 1))}%)`
  return ended ? `${share} ended` : share
}

/** The number of holders that a row names. */
const NAMED = 2

export const HOLDERS: Column<Item> = {
  title: 'HOLDERS',
  cell: ({ holders, unnamed }) => {
    const named = (holders ?? []).slice(0, NAMED).map(({ pid }) => `${pid}`)
    const more = (holders?.length ?? 0) > NAMED || Boolean(unnamed)
    return [...named, ...(more ? ['..'] : [])].join(',') || NONE
  },
}

export const ATTACHED: Column<Item> = {
  title: 'ATTACHED',
  side: 'right',
  cell: ({ attached }) => `${attached ?? NONE}`,
}

export const OWNER: Column<Item> = { title: 'OWNER', cell: ({ owner }) => owner ?? NONE }

export const MODE: Column<Item> = { title: 'MODE', cell: ({ mode }) => mode ?? NONE }

export const LAST_PID: Column<Item> = {
  title: 'LAST PID',
  cell: ({ lastPid, lastPidAlive, processes }) => {
    // For a lock or a channel the processes that use it are known.
    if (processes !== null)
      return processes.length > 2 ? `${processes.slice(0, 2).join(',')},..` : processes.join(',') || NONE
    return lastPid === null ? NONE : lastPidAlive ? `${lastPid}` : paint('dim', `${lastPid} dead`)
  },
}

/** The age of an item: the time since it was made, or since its owner or mode changed. */
export const AGE: Column<Item> = {
  title: 'AGE',
  side: 'right',
  cell: item => {
    const made = madeAt(item)
    return made === null ? NONE : span(Date.now() - Date.parse(made))
  },
}
