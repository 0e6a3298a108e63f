import { performance } from '../waiting/clock.js'
import { IpcError } from '../errors.js'
import { unavailable } from './failures.js'
import type { Link } from './link.js'

/** How far our clock may be from Redis's, as a part of the lease: see `lease.ts`. */
const CLOCK_TOLERANCE = 1 / 20

/** How long a look at the clocks is good, as a part of the lease: a permit is refreshed as often. */
const LOOK_EVERY = 1 / 3

/** How far our two clocks may part before it counts as a jump: one of them is cut to whole milliseconds. */
const JUMP = 2

/** How often it is asked for its clock, where its answers take too long to say for certain that ours agrees. */
const QUESTIONS = 3

/** `uptime_in_seconds` is cut to whole seconds. */
const UPTIME_ERROR = 1_000

/**
 * Whether the Redis at the other end can be relied on: that its clock and ours agree, since entries are dated by those
 * who make them; and that it still knows what it gave away, which one that was started again without an append-only file
 * does not.
 */
export class Server {
  readonly #link: Link
  readonly #lease: number
  readonly #label: string
  #clockUntil = 0
  #clockEpoch = 0
  /** By how much our clock on the wall was ahead of the one that never jumps, at the last look. */
  #apart = 0
  #memoryEpoch = 0
  #looking: Promise<void> | undefined

  constructor(link: Link, lease: number, label: string) {
    this.#link = link
    this.#lease = lease
    this.#label = label
  }

  /** Looks, where the last look is too old, or our clock was set since; `undefined` when it is not. */
  trusted(): Promise<void> | undefined {
    const { epoch } = this.#link
    if (this.#memoryEpoch === epoch && this.#clockIsGood(epoch)) return undefined
    this.#looking ??= this.#look(epoch).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  #clockIsGood(epoch: number): boolean {
    if (this.#clockEpoch !== epoch || performance.now() >= this.#clockUntil) return false
    return Math.abs(ownClocksApart() - this.#apart) <= JUMP
  }

  async #look(epoch: number): Promise<void> {
    await Promise.all([
      this.#compareClocks(epoch),
      this.#memoryEpoch === epoch ? undefined : this.#checkMemory(epoch),
    ])
  }

  async #compareClocks(epoch: number): Promise<void> {
    for (let questions = 1; ; questions += 1) {
      const apart = ownClocksApart()
      const before = Date.now()
      const answer = await allowed(() => this.#link.client.time())
      const after = Date.now()
      const agree = answer === undefined || this.#agree(before, timeOf(answer), after)
      // That this process is busy, or Redis far away, is no reason to have no permits.
      if (!agree && questions < QUESTIONS) continue
      this.#clockEpoch = epoch
      this.#clockUntil = performance.now() + this.#lease * LOOK_EVERY
      this.#apart = apart
      return
    }
  }

  /** Whether they certainly agree; throws where they certainly do not. Redis read its clock at some time in between. */
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

  async #checkMemory(epoch: number): Promise<void> {
    const { client } = this.#link
    const [server, persistence] = await Promise.all([
      allowed(() => client.info('server')),
      allowed(() => client.info('persistence')),
    ])
    const uptime = numberOf(server, 'uptime_in_seconds') * 1_000
    // Without a file to begin with, or with an empty one, `aof_base_size` is 0: the disk is new, or not the old one.
    const remembers =
      numberOf(persistence, 'aof_enabled') !== 0 && numberOf(persistence, 'aof_base_size') !== 0
    if (!remembers && uptime < this.#lease + UPTIME_ERROR) {
      throw unavailable(
        this.#label,
        `it was started ${uptime / 1_000} s ago without an append-only file, and may have forgotten permits that are held; it is asked again when their leases are over`,
      )
    }
    this.#memoryEpoch = epoch
  }
}

function ownClocksApart(): number {
  return Date.now() - performance.now()
}

/** The reply of TIME in milliseconds. */
function timeOf(answer: unknown): number {
  const [seconds, microseconds] = answer as [unknown, unknown]
  return Number(seconds) * 1e3 + Number(microseconds) / 1e3
}

/** The answer; `undefined` where we are not allowed to ask: managed servers keep INFO to themselves. */
async function allowed<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown command)/i.test(error.message)) return undefined
    throw error
  }
}

/** A line of INFO; NaN, which compares as false, where there is none. */
function numberOf(info: unknown, key: string): number {
  return Number(new RegExp(`^${key}:(\\d+)`, 'm').exec(String(info))?.[1] ?? Number.NaN)
}
