import { existsSync } from 'node:fs'
import { constants } from 'node:os'

import { Semaphore, SharedMemory } from '../../index.js'
import { exists, keyOf, uniqueKey, uniqueName } from '../../__test__/helpers/names.ts'
import { injected, type Surroundings } from '../../__test__/helpers/surroundings.ts'
import { type Case, CASES } from '../errnos.ts'
import { atOnce, child } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

interface Report {
  error?: { name: string; code: string; errno?: number; syscall?: string }
  leaked: string[]
}

const HANGS = 30_000

/** One errno of each call, for the short run. */
const SOME = CASES.filter(
  ({ call, act }, i) => CASES.findIndex(one => one.call === call && one.act === act) === i,
)

const promised: Promised = {
  promise: 'every errno that our system calls can give comes out as a documented error, and leaks nothing',
  trials: { long: CASES.length, short: SOME.length },
  limit: 900,
  needs: injected(),
  async run(trial) {
    const cases = trial.long ? CASES : SOME
    const codes = new Map<string, number>()
    await atOnce(3, cases.length, async index => {
      const one = cases[index]
      if (one === undefined) return
      const code = await inject(trial, one)
      codes.set(code, (codes.get(code) ?? 0) + 1)
      trial.made()
    })
    const done = codes.get('done') ?? 0
    return `${new Set(cases.map(({ call }) => call)).size} system calls, ${codes.size} codes; ${done} were dealt with and no error`
  },
}
export default promised

/** Makes one call fail, and answers the code that came out. */
async function inject(trial: Trial, one: Case): Promise<string> {
  const { act, call, errno } = one
  const what = `${act}, ${call}: ${errno}`
  const [name, key] = [uniqueName(trial), uniqueKey(trial)]
  const [kind = '', method = ''] = act.split(' ')
  // A call that a signal breaks off is made again, and the second time it works.
  const when = errno === 'EINTR' ? ':when=1..2' : ''
  const place: Surroundings = injected(`${call}:error=${errno}${when}`)
  const within = one.path === undefined ? [place] : [onlyAt(place, one.path.replace('NAME', name.slice(1)))]
  const attached = prepare(kind, method, name, key)
  const run = child(trial, 'errnos', { args: [kind, method, name, key, attached], within })
  const alarm = setTimeout(() => {
    trial.lost(`${what}: hangs`)
    run.kill()
  }, HANGS)
  const report = (await run.next()) as Report | undefined
  const { code, signal } = await run.exit
  clearTimeout(alarm)
  if (report === undefined || code !== 0) {
    trial.lost(`${what}: ended with ${signal ?? `exit code ${code}`}`)
    return 'none'
  }
  const { error, leaked } = report
  if (leaked.length > 0) trial.lost(`${what}: leaked ${leaked.join(', ')}`)
  // EEXIST is of somebody who was quicker, and then it is that one's.
  const left = method === 'create' && error !== undefined && error.code !== 'EEXIST'
  if (left && (exists('sem', keyOf(name)) || exists('shm', key) || existsSync(`/dev/shm${name}`)))
    trial.lost(`${what}: left an object`)
  const got = error?.code ?? 'done'
  const gives = one.gives ?? [errno]
  if (!gives.includes(got))
    trial.lost(`${what}: ${JSON.stringify(error ?? 'done')} instead of ${gives.join(' or ')}`)
  // The end of a wait is no failure of a call.
  if (error !== undefined && !got.startsWith('ERR_') && got !== 'ETIMEDOUT') {
    const expected = constants.errno[got as keyof typeof constants.errno] ?? { EIDRM: 43 }[got]
    if (error.name !== 'IpcError' || error.errno !== -Number(expected) || !error.syscall)
      trial.lost(`${what}: ${JSON.stringify(error)}`)
  }
  return got
}

/** What is there before the call: everything but for `create`. Answers the id of a System V segment. */
function prepare(kind: string, method: string, name: string, key: number): number {
  if (method === 'create') return 0
  if (kind === 'sysv' || kind === 'posix') {
    Semaphore.create(name, { initial: method === 'wait' ? 0 : 5, backend: kind }).close()
    return 0
  }
  using memory = SharedMemory.create(kind === 'segment' ? key : name, { size: 4096 })
  return memory.id ?? 0
}

/** Only calls that have to do with this path. */
function onlyAt(place: Surroundings, path: string): Surroundings {
  return { missing: place.missing, wrap: argv => [...place.wrap([]).slice(0, -1), '-P', path, '--', ...argv] }
}
