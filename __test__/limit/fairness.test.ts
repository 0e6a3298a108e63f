// No process starves: processes that hold a permit in turn all get it about equally often.

import test from 'ava'

import { type Child, child } from '../shared/child.ts'
import { engines } from '../shared/engines.ts'
import { until } from '../shared/until.ts'
import { ownLimit } from './helpers/own.ts'
import { remote } from './helpers/remote.ts'

/** Of a set, `ref` waits in libuv's pool, and `unref` on a thread of the addon. Of a ledger, one thread serves both. */
const waits = [
  ['sysv', 'ref'],
  ['sysv', 'unref'],
  ['ledger', 'ref'],
] as const
for (const [engine, keeps] of waits.filter(([engine]) => engines.includes(engine))) {
  test.serial(`a process gets its turns against 20 rivals (${engine}, ${keeps})`, async t => {
    const limit = ownLimit(t, 1, { engine })
    const env = { UV_THREADPOOL_SIZE: '4' }
    const args = [limit.name, keeps, 4_000, 60_000]
    const rivals = Array.from({ length: 21 }, () =>
      child(t, 'limit/take-turns.ts', { env, args, limit: 110_000 }),
    )
    await Promise.all(rivals.map(rival => rival.until('ready')))
    const turns = await fairTurnsOf(rivals, { mean: 4, tries: 5 })
    t.true(meanOf(turns) > 2, `${turns}`)
    // When each process waits in short slices instead of one long wait, some processes get no turn at all.
    t.true(isFair(turns), `${turns}`)
  })
}

const onLedgers = engines.includes('ledger') && process.platform !== 'win32' ? test.serial : test.skip
onLedgers(
  'stopped processes at the head of the line cost the others neither their turns nor their order',
  async t => {
    const limit = ownLimit(t, 1, { engine: 'ledger' })
    const permit = limit.acquireSync()
    const stopped = [1, 2].map(() => remote(t, 'open', limit.name))
    for (const { call } of stopped) void call('acquire').catch(() => {})
    await until('both wait', () => limit.info().waiters === stopped.length)
    for (const { child } of stopped) child.kill('SIGSTOP')
    const args = [limit.name, 'ref', 4_000, 60_000]
    const rivals = Array.from({ length: 3 }, () => child(t, 'limit/take-turns.ts', { args }))
    await Promise.all(rivals.map(rival => rival.until('ready')))
    permit.release()
    // Each rival passes the stopped ones for the first time after a second.
    await turnsOf(rivals)
    const turns = await fairTurnsOf(rivals, { mean: 20, tries: 4 })
    t.true(meanOf(turns) > 20, `${turns}`)
    t.true(isFair(turns), `${turns}`)
  },
)

/** How many turns each process had while all of them took turns; none when that was less than a second. */
async function turnsOf(rivals: readonly Child[]): Promise<number[]> {
  for (const rival of rivals) rival.send('go')
  const all = (await Promise.all(rivals.map(rival => rival.next()))) as {
    start: number
    end: number
    turns: number[]
  }[]
  const from = Math.max(...all.map(({ start }) => start))
  const to = Math.min(...all.map(({ end }) => end))
  if (to - from < 1_000) return all.map(() => 0)
  return all.map(({ turns }) => turns.filter(turn => turn >= from && turn < to).length)
}

/**
 * The same, counted again where they are few or unfair, up to `tries` times: on a busy machine some processes start late, and
 * all have few turns; or one of them gets no processor for seconds.
 */
async function fairTurnsOf(
  rivals: readonly Child[],
  { mean, tries }: { mean: number; tries: number },
): Promise<number[]> {
  let turns = await turnsOf(rivals)
  const isEnough = () => meanOf(turns) > mean && isFair(turns)
  for (let more = 1; !isEnough() && more < tries; more += 1) turns = await turnsOf(rivals)
  return turns
}

/** Whether each process had about its share. */
function isFair(turns: readonly number[]): boolean {
  return Math.min(...turns) >= meanOf(turns) / 2 - 1
}

function meanOf(turns: readonly number[]): number {
  return turns.reduce((sum, each) => sum + each) / turns.length
}
