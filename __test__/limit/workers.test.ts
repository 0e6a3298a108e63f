// A worker that ends in any way gives back its permits; the process lives on.

import type { ExecutionContext } from 'ava'

import { child } from '../shared/child.ts'
import { type NodeBinary, nodes } from '../shared/nodes.ts'
import { until } from '../shared/until.ts'
import { freeOf, ownLimit } from './helpers/own.ts'
import type { Engine } from '../shared/engines.ts'
import { onEachEngine } from '../shared/on-each-engine.ts'

/** The states of a worker: it has a permit, or it waits for the one that the test holds. */
const STATES: Record<string, { waits?: boolean; gets?: boolean; busy?: boolean }> = {
  'a permit held': {},
  'a permit of acquireSync held': {},
  'a permit held after close': {},
  'a permit on its way': { waits: true, gets: true, busy: true },
  acquireSync: { waits: true, busy: true },
  'a resizing pending': { waits: true },
}

interface Run {
  node: NodeBinary
  engine: Engine
  state: string
  how: string
  /** Whether the main thread loads the addon too. */
  loads?: boolean
}

async function endsClean(t: ExecutionContext, run: Run): Promise<void> {
  const { node, engine, state, how, loads = true } = run
  const { waits = false, gets = false } = STATES[state] as (typeof STATES)[string]
  const limit = ownLimit(t, 1, { engine })
  const held = waits ? limit.tryAcquire() : null
  const process = child(t, 'limit/end-worker.ts', { node, args: [state, how, limit.name, String(loads)] })
  t.is(await process.next(), 'ready')
  if (waits) await until('it waits', () => limit.info().waiters > 0)
  if (gets) {
    held?.release()
    await until('the permit is on its way', () => freeOf(limit) === 0 && limit.info().waiters === 0)
  }
  t.is(freeOf(limit), 0)
  process.send('end')
  const text = JSON.stringify(run)
  if (how !== 'process.exit of the main thread') {
    t.is(await process.next(), 'ended')
    await until('nobody waits', () => limit.info().waiters === 0)
    held?.release()
    await until(`the permit is back: ${text}`, () => freeOf(limit) === 1)
    t.deepEqual(limit.info().holders, [])
    process.send('end')
  }
  const exit = await process.exit
  t.like(exit, { code: 0, signal: null }, text + exit.stderr)
  held?.release()
  t.like(limit.info(), { permits: 1, free: 1, holders: [], unnamed: 0 }, text)
}

for (const [state, { busy = false }] of Object.entries(STATES)) {
  for (const how of ['terminate', 'process.exit', 'process.exit of the main thread']) {
    // A busy worker cannot call process.exit.
    if (how === 'process.exit' && busy) continue
    onEachEngine().serial(`a worker with ${state} ends: ${how}`, async (t, engine) => {
      await Promise.all(nodes.map(node => endsClean(t, { node, engine, state, how })))
    })
  }
}

onEachEngine().serial(
  'a worker that is the only thread with the addon ends while it holds a permit',
  async (t, engine) => {
    const run = { state: 'a permit held', how: 'terminate', loads: false }
    await Promise.all(nodes.map(node => endsClean(t, { ...run, node, engine })))
  },
)

onEachEngine().serial(
  '120 workers that are terminated at random moments keep no permit',
  async (t, engine) => {
    await Promise.all(
      nodes.map(async node => {
        const limit = ownLimit(t, 7, { engine })
        const process = child(t, 'limit/terminate-workers.ts', {
          node,
          args: [limit.name, 40],
          limit: 110_000,
        })
        t.is(await process.next(), 'all are gone')
        await until('all permits are back', () => freeOf(limit) === 7)
        t.like(limit.info(), { holders: [], unnamed: 0, waiters: 0 })
        process.kill('SIGKILL')
        await process.exit
        t.is(freeOf(limit), 7)
      }),
    )
  },
)
