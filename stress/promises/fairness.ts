import { Limit } from '../../index.js'
import { type Engine, engines } from '../../__test__/shared/engines.ts'
import { uniqueName } from '../../__test__/shared/names.ts'
import { waitForLedger } from '../ledgers.ts'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

const RIVALS = 20
const SECONDS = 6
/** The turns of 21 processes if a hand-over took no time: one turn every 10 ms. */
const IDEAL = (SECONDS * 1000) / 10
const LEAST = 25

const promised: Promised = {
  promise:
    '21 processes take turns of 10 ms with one permit for 6 s: the last of them gets at least 25 turns (28.6 is ideal), and each gets one (every engine)',
  trials: { long: 10, short: 2 },
  prepare: waitForLedger,
  async run(trial) {
    const figures: Record<string, string[]> = { pool: [], own: [] }
    for (let run = 0; run < trial.count; run += 1) {
      const lane = run % 2 === 0 ? 'pool' : 'own'
      // Two runs try each engine and each lane once, four runs all pairs.
      const engine = engines[(run + Math.floor(run / 2)) % engines.length] as Engine
      const name = uniqueName(trial)
      using limit = Limit.create(name, { permits: 0, engine })
      const everybody = Array.from({ length: RIVALS + 1 }, (_, rival) =>
        child(trial, 'fairness', { args: [name, rival === RIVALS ? lane : 'pool', SECONDS] }),
      )
      for (const process of everybody)
        if ((await process.next()) !== 'ready') throw new Error('a rival did not start')
      for (const process of everybody) process.send('go')
      await limit.resize(1)
      const turns = await Promise.all(everybody.map(process => process.next()))
      for (const [rival, count] of turns.entries())
        if (!(Number(count) > 0)) trial.lost(`${engine}, ${lane}: process ${rival} had ${count} turns`)
      const all = turns.reduce<number>((sum, count) => sum + Number(count), 0)
      const ours = Number(turns.at(-1))
      // When the machine makes fewer turns than the time allows, the fair share is smaller in proportion, and whole.
      if (!(ours >= Math.floor((LEAST / IDEAL) * all)))
        trial.lost(`${engine}, ${lane}: ${ours} of ${all} turns`)
      figures[lane]?.push(`${ours} of ${all} (${engine})`)
      limit.unlink()
      for (const process of everybody) process.kill()
      trial.made()
    }
    return `turns on libuv’s pool: ${figures.pool?.join(', ')}; on a thread of ours: ${figures.own?.join(', ')}`
  },
}
export default promised
