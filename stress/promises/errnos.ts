import { existsSync } from 'node:fs'
import { constants } from 'node:os'

import { Limit, locks, Semaphore, SharedMemory } from '../../index.js'
import { exists, keyOf, ledgerOf, removeKey, uniqueKey, uniqueName } from '../../__test__/shared/names.ts'
import { injected, type Surroundings } from '../../__test__/shared/surroundings.ts'
import { type Case, CASES } from '../errnos.ts'
import { atOnce, child } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

interface Report {
  error?: { name: string; code: string; errno?: number; syscall?: string; hint?: string }
  leaked: string[]
}

interface Prepared {
  /** The id of a System V segment. */
  attached?: number
  release?: () => Promise<void>
}

/** The functions of C that make each call. */
const NAMES: Record<string, readonly string[]> = {
  semget: ['semget'],
  semop: ['semop', 'semtimedop'],
  semctl: ['semctl'],
  shmget: ['shmget'],
  shmat: ['shmat'],
  shmctl: ['shmctl'],
  openat: ['open', 'sem_open'],
  mmap: ['mmap', 'sem_open'],
  fallocate: ['fallocate', 'posix_fallocate'],
  linkat: ['linkat'],
  link: ['sem_open'],
  chmod: ['chmod'],
  fchmod: ['fchmod'],
  ftruncate: ['ftruncate'],
  flock: ['flock'],
  unlink: ['sem_unlink'],
  unlinkat: ['unlinkat'],
}

const HANGS = 30_000
/** The methods that make a missing object. */
const MAKES = ['create', 'make', 'request']
/** Errnos that mean that another process was quicker or is making the object. */
const OF_ANOTHER = ['EEXIST', 'EAGAIN', 'ERR_NOT_INITIALISED']

/** One errno of each call, for the short run. */
const SOME = CASES.filter(
  ({ call, act }, i) => CASES.findIndex(one => one.call === call && one.act === act) === i,
)

const promised: Promised = {
  promise: 'every errno of every system call becomes a documented error, and leaks nothing',
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

/** Makes one call fail, and returns the code that the package threw. */
async function inject(trial: Trial, one: Case): Promise<string> {
  const { act, call, errno } = one
  const what = `${act}, ${call}: ${errno}`
  const [name, key] = [uniqueName(trial), uniqueKey(trial)]
  trial.teardown(() => removeKey(lockKeyOf(name)))
  const [kind = '', method = ''] = act.split(' ')
  // A call that a signal interrupts is made again, and so is a call on a limit where another process was quicker.
  const isMadeAgain = errno === 'EINTR' || (kind === 'limit' && errno === 'EAGAIN')
  const when = isMadeAgain ? ':when=1..2' : ''
  const place: Surroundings = injected(`${call}:error=${errno}${when}`)
  const within =
    one.path === undefined
      ? [place]
      : [onlyAt(place, one.path.replace('NAME', name.slice(1)).replace('LEDGER', ledgerOf(name)))]
  const { attached = 0, release } = prepare(kind, method, name, key)
  const run = child(trial, 'errnos', { args: [kind, method, name, key, attached], within })
  const alarm = setTimeout(() => {
    trial.lost(`${what}: hangs`)
    run.kill()
  }, HANGS)
  const report = (await run.next()) as Report | undefined
  const { code, signal } = await run.exit
  clearTimeout(alarm)
  await release?.()
  if (report === undefined || code !== 0) {
    trial.lost(`${what}: ended with ${signal ?? `exit code ${code}`}`)
    return 'none'
  }
  const { error, leaked } = report
  if (leaked.length > 0) trial.lost(`${what}: leaked ${leaked.join(', ')}`)
  // An object of a quicker process belongs to that process, and the set of a lock that is reported as removed is not looked for.
  const another = error === undefined || OF_ANOTHER.includes(error.code)
  const left = MAKES.includes(method) && !another && !(kind === 'lock' && error.code === 'EIDRM')
  if (left && isThere(name, key)) trial.lost(`${what}: left an object`)
  const got = error?.code ?? 'done'
  const gives = one.gives ?? [errno]
  if (!gives.includes(got))
    trial.lost(`${what}: ${JSON.stringify(error ?? 'done')} instead of ${gives.join(' or ')}`)
  // The end of a wait is not a failure of a call.
  if (error !== undefined && !got.startsWith('ERR_') && got !== 'ETIMEDOUT') {
    const expected = constants.errno[got as keyof typeof constants.errno] ?? { EIDRM: 43 }[got]
    if (error.name !== 'IpcError' || error.errno !== -Number(expected) || !error.syscall)
      trial.lost(`${what}: ${JSON.stringify(error)}`)
    if (!error.hint) trial.lost(`${what}: no hint in ${JSON.stringify(error)}`)
    // The next look notices a removed object too.
    if (got === errno && got !== 'EIDRM' && !NAMES[call]?.includes(error.syscall ?? ''))
      trial.lost(`${what}: reported as ${error.syscall}`)
  }
  return got
}

function lockKeyOf(name: string): number {
  return keyOf(`os-ipc:lock:${name.slice(1)}`)
}

/** Whether any object has the name or the key. */
function isThere(name: string, key: number): boolean {
  return (
    exists('sem', keyOf(name)) ||
    exists('sem', lockKeyOf(name)) ||
    exists('shm', key) ||
    existsSync(`/dev/shm${name}`) ||
    existsSync(ledgerOf(name)) ||
    existsSync(`/dev/shm/sem.${name.slice(1)}`)
  )
}

/** Makes the object before the call, for all calls that do not make it. */
function prepare(kind: string, method: string, name: string, key: number): Prepared {
  if (MAKES.includes(method)) return {}
  if (kind === 'lock') return held(name.slice(1), method === 'wait' ? 'exclusive' : 'shared')
  if (kind === 'limit' || kind === 'ledger') {
    const engine = kind === 'limit' ? 'sysv' : 'ledger'
    Limit.create(name, { permits: method === 'wait' ? 0 : 2, engine }).close()
    return {}
  }
  if (kind === 'sysv' || kind === 'posix') {
    Semaphore.create(name, { initial: method === 'wait' ? 0 : 5, backend: kind }).close()
    return {}
  }
  using memory = SharedMemory.create(kind === 'segment' ? key : name, { size: 4096 })
  return memory.id === undefined ? {} : { attached: memory.id }
}

/** A lock that this process holds. It is granted at once, since no other process has it. */
function held(name: string, mode: 'exclusive' | 'shared'): Prepared {
  const { promise, resolve } = Promise.withResolvers<void>()
  const ended = locks.request(name, { mode }, () => promise)
  return {
    release: async () => {
      resolve()
      await ended
    },
  }
}

/** Restricts the injection to calls on this path. */
function onlyAt(place: Surroundings, path: string): Surroundings {
  return { missing: place.missing, wrap: argv => [...place.wrap([]).slice(0, -1), '-P', path, '--', ...argv] }
}
