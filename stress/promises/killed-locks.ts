import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { capabilities, SharedMemory } from '../../index.js'
import { managerOf } from '../../__test__/lock/helpers/locks-of.ts'
import { exists, keyOf, removeKey, uniqueName } from '../../__test__/shared/names.ts'
import { injected } from '../../__test__/shared/surroundings.ts'
import { largest, median, ms, random } from '../figures.ts'
import { tooLong } from '../machine.ts'
import { Marks } from '../marks.ts'
import { atOnce, child, type Program } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

const LATEST = 100
const HANGS = 10_000
const PROCESSES = 3
/** The further kills until one hit a process that was alone inside, and one a process together with others. */
const MORE = 100
/** The places of each process: two for its requests, and one for the request of its killer. */
const PLACES = 3

const promised: Promised = {
  promise:
    'the lock of a process that is killed with `kill -9` is free within 100 ms, and a process that holds a lock exclusively is always alone (both engines)',
  trials: { long: 1_000, short: 40 },
  limit: 900,
  async run(trial) {
    const folder = mkdtempSync(join(tmpdir(), 'os-ipc-locks-'))
    trial.teardown(() => rmSync(folder, { recursive: true, maxRetries: 100, retryDelay: 100 }))
    const engines = { [capabilities.locks]: undefined, files: folder }
    const figures: string[] = []
    for (const [engine, place] of Object.entries(engines)) {
      const count = trial.count / Object.keys(engines).length
      const contest = await new Contest(trial, engine, place).run(count)
      // This takes long because each moment needs a new process.
      const stopped = trial.long ? await atEachCall(trial, engine, place) : 0
      const calls = stopped > 0 ? `${stopped} killed at one system call after the other, ` : ''
      figures.push(`${engine}: ${calls}${contest}`)
    }
    return figures.join('; ')
  },
}
export default promised

/** Kills a process that takes and leaves a lock at its first system call of a kind, its second, ..., until one finishes. */
async function atEachCall(trial: Trial, engine: string, folder: string | undefined): Promise<number> {
  if (injected().missing !== undefined) return 0
  let stopped = 0
  for (const call of engine === 'sysv' ? ['semget', 'semop', 'semctl'] : ['flock', 'unlink']) {
    const before = stopped
    for (let ended = false, when = 1; !ended; when += 1) {
      const name = uniqueName(trial).slice(1)
      trial.teardown(() => removeKey(lockKeyOf(name)))
      const within = [injected(`${call}:signal=SIGKILL:when=${when}`)]
      const process = child(trial, 'killed-locks-once', { args: [folder ?? '', name], within })
      const { code, signal } = await process.exit
      ended = signal !== 'SIGKILL'
      if (!ended) stopped += 1
      else if (code !== 0) trial.lost(`${engine}: it ended with ${signal ?? `exit code ${code}`}`)
      const what = await trouble(folder, name)
      if (what !== undefined) trial.lost(`${engine}, killed at ${call} ${when}: ${what}`)
      trial.made()
    }
    if (stopped === before) trial.lost(`${engine}: nobody was killed at ${call}`)
  }
  return stopped
}

/**
 * The fault of a lock that no process holds: a request is not granted, or this process, its last user, does not
 * remove it.
 */
async function trouble(folder: string | undefined, name: string): Promise<string | undefined> {
  const manager = managerOf(folder)
  try {
    await manager.request(name, { signal: AbortSignal.timeout(HANGS) }, () => {})
  } catch (error) {
    return `after ${HANGS} ms: ${error}`
  }
  const { held, pending } = await manager.query()
  const seen = [...held, ...pending].filter(lock => lock.name === name)
  if (seen.length > 0) return `nobody is there, and query() says ${JSON.stringify(seen)}`
  // On Windows the files of the lock itself stay.
  const counts = (file: string): boolean => process.platform !== 'win32' || file.includes('.user.')
  const isThere = (): boolean =>
    folder === undefined ? exists('sem', lockKeyOf(name)) : readdirSync(folder).some(counts)
  for (let look = 0; isThere() && look < 500; look += 1) await sleep(10)
  return isThere() ? 'it is left behind' : undefined
}

function lockKeyOf(name: string): number {
  return keyOf(`os-ipc:lock:${name}`)
}

/** Processes that contend for one lock, and are killed one after the other. */
class Contest {
  readonly #trial: Trial
  readonly #engine: string
  readonly #folder: string | undefined
  readonly #name: string
  readonly #memory: SharedMemory
  readonly #marks: Marks
  /** The milliseconds until another process held the lock of a process that was killed inside. */
  readonly #times: number[] = []
  readonly #inside = { alone: 0, together: 0 }

  constructor(trial: Trial, engine: string, folder: string | undefined) {
    this.#trial = trial
    this.#engine = engine
    this.#folder = folder
    const name = uniqueName(trial)
    this.#name = name.slice(1)
    trial.teardown(() => removeKey(lockKeyOf(this.#name)))
    this.#memory = SharedMemory.create(name, { size: Marks.size(PROCESSES * PLACES) })
    this.#marks = new Marks(this.#memory.buffer)
  }

  async run(kills: number): Promise<string> {
    const contenders: (Program | undefined)[] = Array.from({ length: PROCESSES }, (_, index) =>
      this.#start(index),
    )
    const killNext = async (turn: number): Promise<void> => {
      // Each kill at the same time needs a different process.
      const index = contenders.findIndex(contender => contender !== undefined)
      const contender = contenders[index] as Program
      contenders[index] = undefined
      await this.#kill(contender, index, turn)
      contenders[index] = this.#start(index)
      this.#trial.made()
    }
    await atOnce(PROCESSES, kills, killNext)
    const isUnseen = (): boolean => this.#inside.alone === 0 || this.#inside.together === 0
    for (let more = 0; isUnseen() && more < MORE; more += 1) await killNext(2 * more)
    for (const [index, contender] of contenders.entries()) {
      await contender?.next()
      if (contender !== undefined) await this.#end(contender, index)
    }
    const what = await trouble(this.#folder, this.#name)
    if (what !== undefined) this.#lost(what)
    this.#memory.unlink()
    this.#memory.close()
    const { alone, together } = this.#inside
    if (alone === 0 || together === 0) this.#lost('nobody was killed inside')
    const slow = tooLong(this.#times, LATEST)
    if (slow !== undefined) this.#lost(`free after ${slow}`)
    const late = this.#times.filter(time => time > LATEST).length
    return `${alone} killed alone inside, ${together} together with others, free after ${ms(median(this.#times))} (median), ${ms(largest(this.#times))} (latest)${late > 0 ? `, ${late} after more than 100 ms on a machine that was busy` : ''}`
  }

  #start(index: number): Program {
    const [first, second] = this.#places(index)
    const args = [this.#folder ?? '', this.#name, this.#memory.name ?? '', first, second]
    return child(this.#trial, 'killed-locks', { args })
  }

  /** Kills the process at a random moment, half of the time while it is inside, and requests the lock before the kill. */
  async #kill(contender: Program, index: number, turn: number): Promise<void> {
    const [first, second, own] = this.#places(index)
    const said = await contender.next()
    if (said !== 'contends') this.#lost(String(said ?? 'a process did not start'))
    await sleep(random(20))
    for (let look = 0; turn % 2 === 0 && look < 100; look += 1) {
      if (this.#marks.isInside(first) || this.#marks.isInside(second)) break
      await sleep(1)
    }
    const alone = random(3) > 0
    const start = performance.now()
    let time = HANGS
    const request = managerOf(this.#folder).request(
      this.#name,
      { mode: alone ? 'exclusive' : 'shared', signal: AbortSignal.timeout(HANGS) },
      () => {
        time = performance.now() - start
        const violation = this.#marks.enter(own, alone)
        if (violation !== undefined) this.#lost(violation)
        this.#marks.leave(own)
      },
    )
    const ended = this.#end(contender, index)
    await request.catch(error => this.#lost(`after ${HANGS} ms: ${error}`))
    const inside = await ended
    for (const how of inside) this.#inside[how] += 1
    // A shared request beside shared holders does not wait.
    if (!inside.includes('alone') && !(alone && inside.length > 0)) return
    this.#times.push(time)
  }

  /** Kills the process, and returns the mode in which it was inside. */
  async #end(contender: Program, index: number): Promise<('alone' | 'together')[]> {
    const places = this.#places(index).slice(0, 2)
    for (const place of places) this.#marks.doom(place, contender.pid)
    contender.kill()
    const { code, signal } = await contender.exit
    if (signal !== 'SIGKILL') this.#lost(`a process ended with ${signal ?? `exit code ${code}`}`)
    for (let said = await contender.next(); said !== undefined; said = await contender.next())
      this.#lost(String(said))
    return places.map(place => this.#marks.clear(place)).filter(how => how !== undefined)
  }

  #places(index: number): [first: number, second: number, own: number] {
    const at = index * PLACES
    return [at, at + 1, at + 2]
  }

  #lost(what: string): void {
    this.#trial.lost(`${this.#engine}: ${what}`)
  }
}
