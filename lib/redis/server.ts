import { performance } from '../waiting/clock.js'
import { IpcError } from '../errors.js'
import { isForbidden, unavailable } from './failures.js'
import type { Link } from './link.js'
import { NOTE_LEASES, Owner } from './owner.js'

/** The largest difference between the clocks of this process and Redis, as a part of the lease: see `lease.ts`. */
const CLOCK_TOLERANCE = 1 / 20

/** The time for which a check of the clocks is valid, as a part of the lease: permits are refreshed as often. */
const LOOK_EVERY = 1 / 3

/** The milliseconds by which the two clocks of this process may part before it counts as a jump: one has whole milliseconds only. */
const JUMP = 2

/** The most questions for the clock of Redis, if its answers take too long to prove that the clocks agree. */
const QUESTIONS = 3

/** The largest error of `uptime_in_seconds`, in milliseconds: it has whole seconds only. */
const UPTIME_ERROR = 1_000

/** Processes of Redis by their run ids, and the time since which this process knows them, by its steady clock. */
const known = new Map<string, number>()
const KNOWN_MOST = 1_000

/** Processes of Redis whose start was announced in a warning. */
const announced = new Set<string>()

/**
 * Checks whether Redis can be relied on. Its clock and the clock of this process must agree, because the process that
 * makes an entry dates it. It must also remember its permits: a server that restarted without an append-only file does
 * not.
 */
export class Server {
  readonly #link: Link
  readonly #lease: number
  readonly #label: string
  /** The owner of the key, where it can change without a new connection of the client. */
  readonly #owner: Owner | undefined
  #clockUntil = 0
  #clockEpoch = 0
  /** The lead of this process's wall clock over its steady clock, at the last check. */
  #apart = 0
  #memoryEpoch = 0
  /** The process of Redis that had the key at the last check. */
  #run = ''
  /** The time until which its note is there, by the steady clock of this process. */
  #noteUntil = 0
  #looking: Promise<void> | undefined
  #comparing: Promise<void> | undefined

  constructor(link: Link, lease: number, label: string, key: string) {
    this.#link = link
    this.#lease = lease
    this.#label = label
    this.#owner = link.follows ? new Owner(link.client, key, lease) : undefined
  }

  /** Checks the server, if the last check is too old or the clock was set since; otherwise returns `undefined`. */
  trusted(): Promise<void> | undefined {
    const { epoch } = this.#link
    if (this.#memoryEpoch === epoch && this.#clockIsGood(epoch)) return undefined
    this.#looking ??= this.#look(epoch).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /**
   * Compares the clocks, if that is needed; otherwise returns `undefined`. This is enough for a held permit: the reply of
   * a server that forgot the permit shows that it did.
   */
  inTime(): Promise<void> | undefined {
    const { epoch } = this.#link
    if (this.#clockIsGood(epoch)) return undefined
    this.#comparing ??= this.#compareClocks(epoch).finally(() => {
      this.#comparing = undefined
    })
    return this.#comparing
  }

  /** Whether the checked process still has the key; `undefined` when that needs no question. */
  isSame(): Promise<boolean> | undefined {
    if (this.#owner === undefined) return undefined
    const before = this.#run
    return this.#owner.who().then(run => {
      if (run === before) return true
      this.#memoryEpoch = 0
      return false
    })
  }

  #clockIsGood(epoch: number): boolean {
    if (this.#clockEpoch !== epoch || performance.now() >= this.#clockUntil) return false
    return Math.abs(ownClocksApart() - this.#apart) <= JUMP
  }

  async #look(epoch: number): Promise<void> {
    if (this.#owner !== undefined) {
      await this.#lookAtOwner(this.#owner, epoch)
      return
    }
    await Promise.all([
      this.#compareClocks(epoch),
      this.#memoryEpoch === epoch ? undefined : this.#checkMemory(epoch),
    ])
  }

  async #lookAtOwner(owner: Owner, epoch: number): Promise<void> {
    this.#memoryEpoch = 0
    await this.#compareClocks(epoch)
    const asked = performance.now()
    const { server, persistence, since, tookOver } = await owner.look(this.#last)
    const run = textOf(server, 'run_id')
    const isNews = tookOver === 'from another' || asked - firstSeen(run) < this.#lease
    this.#checkStart(server, persistence)
    if (since < this.#lease && isNews) {
      this.#announce(run, 'another server has the permits now, and may lack the last ones')
    }
    this.#run = run
    this.#noteUntil = asked + this.#lease * NOTE_LEASES
    this.#memoryEpoch = epoch
  }

  /** The process of Redis whose note must be there. */
  get #last(): string {
    return performance.now() < this.#noteUntil ? this.#run : ''
  }

  async #compareClocks(epoch: number): Promise<void> {
    for (let questions = 1; ; questions += 1) {
      const apart = ownClocksApart()
      const before = Date.now()
      const answer = await this.#time()
      const after = Date.now()
      const agree = answer === undefined || this.#agree(before, this.#timeOf(answer), after)
      // A busy process, or a distant Redis, is no reason to give no permits.
      if (!agree && questions < QUESTIONS) continue
      this.#clockEpoch = epoch
      this.#clockUntil = performance.now() + this.#lease * LOOK_EVERY
      this.#apart = apart
      return
    }
  }

  /** Whether the clocks certainly agree; throws where they certainly do not. Redis read its clock at some time in between. */
  #agree(before: number, there: number, after: number): boolean {
    const limit = this.#lease * CLOCK_TOLERANCE
    const least = Math.max(before - there - 1, there - after, 0)
    if (least > limit) {
      const way = before > there ? 'ahead' : 'behind'
      throw new IpcError(
        'ERR_CLOCK_SKEW',
        `this machine's clock is ${Math.ceil(least)} ms ${way} of Redis's: too much for the lease of ${this.#label}`,
        { hint: `keep the clocks together (NTP): within ${limit} ms, a twentieth of the lease` },
      )
    }
    return Math.max(after - there, there - before) <= limit
  }

  /** The reply of TIME; `undefined` where this user may not ask. */
  async #time(): Promise<unknown> {
    if (this.#owner === undefined) return allowed(() => this.#link.client.time())
    return (await this.#owner.look(this.#last)).time ?? undefined
  }

  /** The reply of TIME in milliseconds. */
  #timeOf(answer: unknown): number {
    const [seconds, microseconds] = Array.isArray(answer) ? answer : []
    const time = Number(seconds) * 1e3 + Number(microseconds) / 1e3
    if (Number.isFinite(time)) return time
    throw unavailable(this.#label, 'its answer to TIME has no time: is the client in a transaction?')
  }

  async #checkMemory(epoch: number): Promise<void> {
    const { client } = this.#link
    const [server, persistence] = await Promise.all([
      allowed(() => client.info('server')),
      allowed(() => client.info('persistence')),
    ])
    this.#checkStart(server, persistence)
    this.#memoryEpoch = epoch
  }

  /** Throws if the server may have forgotten held permits. */
  #checkStart(server: unknown, persistence: unknown): void {
    const uptime = numberOf(server, 'uptime_in_seconds') * 1_000
    // Without a file to load, or with an empty one, `aof_base_size` is 0: the disk is new, or not the old one.
    const remembers =
      numberOf(persistence, 'aof_enabled') !== 0 && numberOf(persistence, 'aof_base_size') !== 0
    if (remembers || !(uptime < this.#lease + UPTIME_ERROR)) return
    this.#announce(
      textOf(server, 'run_id'),
      `it was started ${uptime / 1_000} s ago without an append-only file, and may have forgotten permits that are held`,
    )
  }

  /** Throws, and warns the first time for each process of Redis, because a wait only seems to hang. */
  #announce(run: string, why: string): never {
    if (!announced.has(run)) {
      if (announced.size === KNOWN_MOST) announced.clear()
      announced.add(run)
      process.emitWarning(`Redis gives no permits until leases of ${this.#lease} ms are over: ${why}`, {
        code: 'OS_IPC_REDIS_FRESH',
      })
    }
    throw unavailable(this.#label, `${why}; the next attempt follows when their leases are over`)
  }
}

/** The time since which this process knows this process of Redis. */
function firstSeen(run: string): number {
  const since = known.get(run)
  if (since !== undefined) return since
  if (known.size === KNOWN_MOST) known.clear()
  const now = performance.now()
  known.set(run, now)
  return now
}

function ownClocksApart(): number {
  return Date.now() - performance.now()
}

/** The answer; `undefined` where this user may not ask: managed servers do not allow INFO. */
async function allowed<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

/** A line of INFO; empty where there is none. */
function textOf(info: unknown, key: string): string {
  return new RegExp(`^${key}:(\\w+)`, 'm').exec(String(info))?.[1] ?? ''
}

/** A number of INFO; NaN, which compares as false, where there is none. */
function numberOf(info: unknown, key: string): number {
  const text = textOf(info, key)
  return text === '' ? Number.NaN : Number(text)
}
