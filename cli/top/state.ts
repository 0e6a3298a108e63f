import { labelOf } from '../core/items.js'
import { COLUMNS, type TopColumn } from './columns.js'
import type { Seen } from './sampler.js'

/** The choices of the user, and the content of the screen. */
export interface State {
  readonly seen: readonly Seen[]
  readonly sort: TopColumn
  readonly reversed: boolean
  /** The part of a name to filter by; empty for all items. */
  readonly filter: string
  /** Whether typed text goes to the filter. */
  readonly typing: boolean
  /** The identity of the selected item. */
  readonly selected: string | undefined
  readonly screen: 'list' | 'details' | 'keys'
  readonly paused: boolean
  readonly quit: boolean
}

export function initialState(sort: TopColumn, filter: string): State {
  return {
    seen: [],
    sort,
    reversed: false,
    filter,
    typing: false,
    selected: undefined,
    screen: 'list',
    paused: false,
    quit: false,
  }
}

/** The listed items, in order. */
export function listed({ seen, sort, reversed, filter }: State): Seen[] {
  const wanted = filter.toLowerCase()
  const rows = seen.filter(({ item }) => labelOf(item).toLowerCase().includes(wanted))
  // Equal rows are sorted by name, so that they do not jump.
  return rows.sort((a, b) => sort.order(a, b) * (reversed ? -1 : 1))
}

/** The selected item; the first one when the selected one is gone. */
export function selectedOf(state: State): Seen | undefined {
  const rows = listed(state)
  return rows.find(({ identity }) => identity === state.selected) ?? rows[0]
}

/** The keys and their actions, as the page of keys shows them. */
export const KEYS: readonly (readonly [key: string, what: string])[] = [
  ['q, Ctrl-C', 'quit'],
  ['up, down, k, j', 'select; also PgUp, PgDn, Home, End'],
  ['Enter, i', 'inspect the selected object; Esc or q goes back'],
  ['s, S', 'sort by the next column, by the previous column'],
  ['r', 'reverse the order'],
  ['/', 'filter by a part of the name; Enter keeps the filter, Esc removes it'],
  ['p, space', 'pause, continue'],
  ['Ctrl-Z', 'stop; fg continues'],
  ['h, ?', 'these keys'],
]

/** The state after a key. */
export function press(state: State, key: string, page: number): State {
  if (key === '\x03') return { ...state, quit: true }
  if (state.typing) return type(state, key)
  if (state.screen !== 'list') {
    return ['\x1b', 'q', '\r', '\n', 'i', 'h', '?'].includes(key) ? { ...state, screen: 'list' } : state
  }
  switch (key) {
    case 'q':
      return { ...state, quit: true }
    case '\x1b':
      return { ...state, filter: '' }
    case '\x1b[A':
    case '\x1bOA':
    case 'k':
      return select(state, -1)
    case '\x1b[B':
    case '\x1bOB':
    case 'j':
      return select(state, 1)
    case '\x1b[5~':
      return select(state, -page)
    case '\x1b[6~':
      return select(state, page)
    case '\x1b[H':
    case '\x1b[1~':
    case '\x1bOH':
    case 'g':
      return select(state, Number.NEGATIVE_INFINITY)
    case '\x1b[F':
    case '\x1b[4~':
    case '\x1bOF':
    case 'G':
      return select(state, Number.POSITIVE_INFINITY)
    case '\r':
    case '\n':
    case 'i': {
      const selected = selectedOf(state)?.identity
      return selected === undefined ? state : { ...state, selected, screen: 'details' }
    }
    case 's':
      return sortBy(state, 1)
    case 'S':
      return sortBy(state, -1)
    case 'r':
      return { ...state, reversed: !state.reversed }
    case '/':
      return { ...state, typing: true }
    case 'p':
    case ' ':
      return { ...state, paused: !state.paused }
    case 'h':
    case '?':
      return { ...state, screen: 'keys' }
    default:
      return state
  }
}

function type(state: State, key: string): State {
  switch (key) {
    case '\r':
    case '\n':
      return { ...state, typing: false }
    case '\x1b':
      return { ...state, typing: false, filter: '' }
    case '\x7f':
    case '\b':
      return { ...state, filter: [...state.filter].slice(0, -1).join('') }
    default:
      return /^\P{Cc}+$/u.test(key) ? { ...state, filter: state.filter + key } : state
  }
}

function select(state: State, by: number): State {
  const rows = listed(state)
  const at = rows.findIndex(({ identity }) => identity === selectedOf(state)?.identity)
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))]
  return { ...state, selected: next?.identity }
}

function sortBy(state: State, by: number): State {
  const at = COLUMNS.indexOf(state.sort)
  return { ...state, sort: COLUMNS[(at + by + COLUMNS.length) % COLUMNS.length] as TopColumn }
}
