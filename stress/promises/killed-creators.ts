import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, list, Semaphore } from '../../index.js'
import type { Engine } from '../../__test__/shared/engines.ts'
import { keyOf, removeNamed, uniqueName } from '../../__test__/shared/names.ts'
import { injected } from '../../__test__/shared/surroundings.ts'
import { CREATE } from '../../scripts/test/stress-builds.mjs'
import { random } from '../figures.ts'
import { atOnce, child } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

/** Units of a semaphore, permits of a limit. */
const INITIAL = 3

type Kind = 'sysv' | 'posix' | 'limit' | 'ledger'

const ENGINES = { limit: 'sysv', ledger: 'ledger' } as const

const promised: Promised = {
  promise: 'a creator is killed between any two system calls: the next `openOrCreate` succeeds',
  trials: { long: 3_000, short: 100 },
  limit: 900,
  async run(trial) {
    const stopped = await atEachCall(trial)
    const unfinished = await atAnyMoment(trial)
    return `${stopped} killed at one system call after the other, ${trial.count} at any moment (${unfinished} of them between semget and semop)`
  },
}
export default promised

/** Kills a creator at its first semget, its second, and so on to its last semop, until one creator finishes. */
async function atEachCall(trial: Trial): Promise<number> {
  if (injected().missing !== undefined) return 0
  const calls: Record<Kind, string[]> = {
    sysv: ['semget', 'semop'],
    posix: ['link', 'unlink'],
    limit: ['semget', 'semop'],
    ledger: ['ftruncate', 'fallocate', 'fchmod', 'linkat'],
  }
  let stopped = 0
  for (const [kind, names] of Object.entries(calls) as [Kind, string[]][]) {
    for (const call of names) {
      const before = stopped
      for (let ended = false, when = 1; !ended; when += 1) {
        const name = uniqueName(trial)
        const within = [injected(`${call}:signal=SIGKILL:when=${when}`)]
        const creator = child(trial, 'killed-creators', { args: [name, kind], within })
        const { code, signal } = await creator.exit
        ended = signal !== 'SIGKILL'
        if (!ended) stopped += 1
        else if (code !== 0) trial.lost(`at ${call} ${when} it ended with ${signal ?? `exit code ${code}`}`)
        check(trial, name, kind)
        trial.made()
      }
      if (stopped === before) trial.lost(`nobody was killed at ${call}`)
    }
  }
  // The temporary file that the C library of a killed process leaves has its own name and no user.
  for (const file of readdirSync('/dev/shm')) {
    if (/^sem\.[A-Za-z0-9]{6}$/.test(file)) rmSync(`/dev/shm/${file}`)
  }
  return stopped
}

/** Kills a program without Node, which starts quickly, while it makes one semaphore after the other. */
async function atAnyMoment(trial: Trial): Promise<number> {
  let unfinished = 0
  await atOnce(2, trial.count, async () => {
    const prefix = `/os-ipc-${randomBytes(6).toString('hex')}`
    const creator = spawn(CREATE, [prefix, String(INITIAL)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(creator, 'close')
    let said = ''
    creator.stdout.on('data', chunk => {
      said += chunk
    })
    await once(creator.stdout, 'data')
    await sleep(random(3))
    creator.kill('SIGKILL')
    await closed
    // The program prints a number before it makes the semaphore of that number, and removes the one before.
    const last = Number(said.trimEnd().split('\n').at(-1))
    const name = `${prefix}-${last}`
    if (list().semaphores.some(({ key, verified }) => key === keyOf(name) && !verified)) unfinished += 1
    check(trial, name, 'sysv')
    removeNamed(`${prefix}-${last - 1}`)
    trial.made()
  })
  return unfinished
}

function check(trial: Trial, name: string, kind: Kind): void {
  try {
    if (kind === 'limit' || kind === 'ledger') checkLimit(trial, name, ENGINES[kind])
    else checkSemaphore(trial, name, kind)
  } catch (error) {
    trial.lost(`${name} (${kind}): ${error}`)
    removeNamed(name)
  }
}

function checkSemaphore(trial: Trial, name: string, backend: 'sysv' | 'posix'): void {
  using semaphore = Semaphore.openOrCreate(name, { initial: INITIAL, backend })
  const { value } = semaphore
  if (value !== INITIAL) trial.lost(`${name} (${backend}) has ${value} units, not ${INITIAL}`)
  semaphore.unlink()
}

function checkLimit(trial: Trial, name: string, engine: Engine): void {
  using limit = Limit.openOrCreate(name, { permits: INITIAL, engine })
  const { permits, free } = limit.info()
  if (permits !== INITIAL || free !== INITIAL)
    trial.lost(`${name} has ${free} free of ${permits} permits, not ${INITIAL}`)
  limit.unlink()
}
