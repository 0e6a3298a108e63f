import { type IpcLimits, privateIpc } from '../../__test__/shared/surroundings.ts'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

interface Failure {
  code?: string
  syscall?: string
  hint?: string
  made: number
  verified: boolean | null
}

/** A limit of the host, the objects that reach it, and the text of the error. */
const LIMITS: { name: string; limits: IpcLimits; what: string; code?: string; hint?: RegExp }[] = [
  {
    name: 'SEMMNI',
    limits: { sem: [250, 32000, 100, 3] },
    what: 'semaphores',
    code: 'ENOSPC',
    hint: /\b3 sets \(SEMMNI\)/,
  },
  {
    name: 'SEMMNS',
    limits: { sem: [250, 40, 100, 100] },
    what: 'semaphores',
    code: 'ENOSPC',
    hint: /\b40 semaphores \(SEMMNS\)/,
  },
  // A set without room for its record is made without it.
  {
    name: 'SEMMSL',
    limits: { sem: [4, 32000, 100, 3] },
    what: 'semaphores',
    code: 'ENOSPC',
    hint: /\b3 sets \(SEMMNI\)/,
  },
  {
    name: 'SEMOPM',
    limits: { sem: [250, 32000, 4, 3] },
    what: 'semaphores',
    code: 'ENOSPC',
    hint: /\b3 sets \(SEMMNI\)/,
  },
  {
    name: 'SHMMNI',
    limits: { shmmni: 3 },
    what: 'segments',
    code: 'ENOSPC',
    hint: /SHMMNI.* is 3 and there are 3/,
  },
  { name: 'SHMALL', limits: { shmall: 5 }, what: 'segments', code: 'ENOSPC', hint: /SHMALL.* is 5\b/ },
  { name: 'SHMMAX', limits: { shmmax: 2048 }, what: 'segments', code: 'EINVAL', hint: /SHMMAX.* is 2048\b/ },
]

const promised: Promised = {
  promise:
    'the error of an exhausted limit (SEMMNI, SEMMNS, SEMMSL, SEMOPM, SHMMNI, SHMALL, SHMMAX) has its name and value',
  trials: { long: LIMITS.length, short: LIMITS.length },
  needs: privateIpc(),
  async run(trial) {
    const figures: string[] = []
    for (const { name, limits, what, code, hint } of LIMITS) {
      const run = child(trial, 'limits', { args: [what], within: [privateIpc(limits)] })
      const failure = (await run.next()) as Failure | undefined
      if (failure?.code !== code || !hint?.test(failure?.hint ?? ''))
        trial.lost(`${name}: ${JSON.stringify(failure)}`)
      const unverified = name === 'SEMMSL' || name === 'SEMOPM'
      if (what === 'semaphores' && failure?.verified !== !unverified)
        trial.lost(`${name}: verified is ${failure?.verified}`)
      figures.push(`${name} ${failure?.code}${unverified ? ' (and unverified sets before)' : ''}`)
      trial.made()
    }
    return figures.join(', ')
  },
}
export default promised
