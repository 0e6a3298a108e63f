// Loads the package's own code of channels over a memory of the checker's, with a change for a mutant.

import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

import type * as CallModule from '../../../lib/channel/call.js'
import type * as InboxModule from '../../../lib/channel/inbox.js'
import type * as LineModule from '../../../lib/channel/line.js'
import type * as OutboxModule from '../../../lib/channel/outbox.js'
import type * as RingModule from '../../../lib/channel/ring.js'
import type * as SeatModule from '../../../lib/channel/seat.js'
import type { Hooks } from './hooks.ts'

/** A change of the code that the checker must notice. */
export interface Mutation {
  /** The file in lib/channel, without its extension. */
  file: string
  from: string
  to: string
}

export type Product = typeof CallModule &
  typeof InboxModule &
  typeof LineModule &
  typeof OutboxModule &
  typeof RingModule &
  typeof SeatModule

/** Where `npm run build:ts` puts the JavaScript of each file. */
const BUILT = new URL('../../../.cache/built/lib/', import.meta.url)

/** Where the loaded code finds what it uses in the place of `Atomics`, of typed arrays and of the addon. */
export const HOOKS = Symbol.for('os-ipc channel interleavings')

const HERE = `globalThis[Symbol.for('${HOOKS.description}')]`

/** The code of the channel calls only these functions of the modules outside lib/channel that reach the addon. */
const STUBS: Record<string, string> = {
  'addon/native.js': `export const { native } = ${HERE}`,
  'diagnostics/channels.js':
    'const none = () => {}; export { none as sent, none as received, none as channelWaits }',
  'promises.js': `const { Promise } = ${HERE}; export const { withResolvers, resolve: resolved, reject: rejected } = Promise`,
  'waiting/clock.js': `export const { setTimeout, clearTimeout, setImmediate, performance } = ${HERE}`,
  'waiting/pool.js': 'export const guardPool = () => {}',
  'waiting/settling.js': `export const { expect, forget } = ${HERE}; export const evaluation = { session: 1 }`,
  'waiting/transit.js': 'export const transit = undefined; export const arrive = () => {}',
  'waiting/waiting.js': 'export const setReferenced = () => {}',
}

let links = 0
const mutations = new Map<string, Mutation>()

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    const link = context.parentURL?.startsWith(BUILT.href) && new URL(context.parentURL).search
    if (!link || !found.url.startsWith(BUILT.href) || found.url.includes('?')) return found
    return { ...found, url: found.url + link }
  },
  load(url, context, next) {
    if (!url.startsWith(BUILT.href)) return next(url, context)
    const { search, pathname } = new URL(url)
    if (search === '') return next(url, context)
    const file = pathname.slice(BUILT.pathname.length)
    const source = STUBS[file] ?? changed(file, readFileSync(new URL(file, BUILT), 'utf8'), search)
    return { format: 'module', source, shortCircuit: true }
  },
})

function changed(file: string, source: string, link: string): string {
  const mutation = mutations.get(link)
  const shadows = `const { Atomics, Int32Array, BigUint64Array } = ${HERE};`
  if (!file.startsWith('channel/')) return source
  if (`channel/${mutation?.file}.js` !== file || mutation === undefined) return shadows + source
  const places = source.split(mutation.from).length - 1
  if (places !== 1) throw new Error(`'${mutation.from}' is ${places} times in ${file}`)
  return shadows + source.replace(mutation.from, () => mutation.to)
}

/** Loads the code of a channel; each call loads it anew. */
export async function link(hooks: Hooks, mutation?: Mutation): Promise<Product> {
  Object.assign(globalThis, { [HOOKS]: hooks })
  links += 1
  const query = `?link=${links}`
  if (mutation !== undefined) mutations.set(query, mutation)
  const load = (file: string) => import(new URL(`channel/${file}.js${query}`, BUILT).href)
  const parts = await Promise.all(['inbox', 'line', 'outbox', 'ring', 'seat', 'call'].map(load))
  return Object.assign({}, ...parts) as Product
}
