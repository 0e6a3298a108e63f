import { node } from '../shared/contenders.mjs'
import { partner } from '../shared/partner.mjs'
import { reported, takes } from '../shared/targets.mjs'

/** Kills the process that holds the permit, and measures until a pending wait has it. */
const killed = engine =>
  node(async context => {
    const { Limit } = await import('../shared/ours.mjs')
    const limit = Limit.create(context.object, { permits: 1, engine })
    context.atTheEnd(() => limit.unlink())
    return async count => {
      let nanoseconds = 0
      for (let index = 0; index < count; index += 1) {
        const holder = await partner('hold', [context.object, engine], context)
        const waiting = limit.acquire()
        // The wait is in the kernel, or in the line of the ledger, before the kill.
        await new Promise(resolve => setTimeout(resolve, 10))
        const start = process.hrtime.bigint()
        holder.kill('SIGKILL')
        const permit = await waiting
        nanoseconds += Number(process.hrtime.bigint() - start)
        permit.release()
      }
      return { nanoseconds }
    }
  })

export const scene = {
  name: 'kill',
  title: 'A Node process that holds a permit is killed: until the next wait has the permit',
  operation: 'a kill',
  rounds: 15,
  smokeCount: 1,
  count: 1,
  contenders: { 'os-ipc': killed('sysv'), 'os-ipc, ledger': killed('ledger') },
  targets: reported(takes('os-ipc, ledger', 5)),
}
