import { clearTimeout, performance, setTimeout } from '../waiting/clock.js'
import { timeUntil } from '../waiting/deadline.js'
import { asIpcError, isFinal, timedOut } from './failures.js'
import type { WaitLimits } from '../waiting/options.js'
import type { RedisPermit } from './permit.js'
import { reasonOf, unlisten } from '../waiting/signals.js'

/** How many tries may be under way at once. */
const WIDEST = 32

/** The pauses while Redis cannot be reached: each twice as long as the one before. */
const FIRST_PAUSE = 25
const LONGEST_PAUSE = 1_000

/** How many milliseconds a question may be old at the end of a wait before its missing answer is the reason. */
const SLOW = 250

/** Where permits come from. */
export interface Supply {
  /** Takes a permit if one is there now. */
  take(): Promise<RedisPermit | undefined>
  /** What keeps a question without an answer for so many milliseconds. */
  silence(milliseconds: number): unknown
}

/**
 * The pending waits of one source: first come, first served among themselves.
 *
 * However many there are, Redis is asked for the first ones only. What comes goes to whoever is first by then, or back.
 */
export class Waits {
  readonly #waiting = new Set<Wait>()
  readonly #supply: Supply
  readonly #poll: number
  readonly #label: string
  #trying = 0
  /** How many tries there may be now: one after a refusal, twice as many after each permit. */
  #width = WIDEST
  #pause: NodeJS.Timeout | undefined
  /** How often a permit came back here. */
  #wakes = 0
  #failures = 0
  /** Why Redis does not answer; `undefined` when it does. */
  #trouble: unknown
  /** When each question that has no answer yet was asked, oldest first. */
  readonly #asked = new Set<{ readonly at: number }>()
  /** When Redis last answered. */
  #answered = 0

  constructor(supply: Supply, poll: number, label: string) {
    this.#supply = supply
    this.#poll = poll
    this.#label = label
  }

  get count(): number {
    return this.#waiting.size
  }

  /** Waits for a permit. */
  add({ timeout, signal }: WaitLimits): Promise<RedisPermit> {
    return new Promise((resolve, reject) => {
      const start = performance.now()
      const wait = new Wait(resolve, reject, signal, () => this.#remove(wait))
      // First of all: a signal that throws here ends this wait, and nothing of it is left.
      wait.listen()
      if (wait.ended) return
      this.#waiting.add(wait)
      if (timeout !== undefined) {
        wait.endAfter(timeout, () => timedOut(this.#label, this.#trouble ?? this.#silence(start)))
      }
      this.#pump()
    })
  }

  /** A permit came back here: it may be there for the next. */
  wake(): void {
    this.#wakes += 1
    if (this.#waiting.size === 0 || this.#failures > 0) return
    this.#resume()
    this.#pump()
  }

  /** Ends all of them. */
  failAll(reason: () => unknown): void {
    for (const wait of this.#waiting) wait.fail(reason())
  }

  /** Why a wait that began at `start` had no answer, where that is why no permit came. */
  #silence(start: number): unknown {
    const [oldest] = this.#asked
    if (oldest === undefined) return undefined
    const age = performance.now() - oldest.at
    return age >= SLOW || this.#answered < start ? this.#supply.silence(age) : undefined
  }

  #pump(): void {
    const width = Math.min(this.#width, this.#waiting.size)
    while (this.#pause === undefined && this.#trying < width) this.#try()
  }

  #try(): void {
    this.#trying += 1
    const wakes = this.#wakes
    const question = { at: performance.now() }
    this.#asked.add(question)
    this.#supply.take().then(
      permit => {
        this.#trying -= 1
        this.#asked.delete(question)
        this.#answered = performance.now()
        this.#succeed(permit, wakes)
        this.#pump()
      },
      error => {
        this.#trying -= 1
        this.#asked.delete(question)
        this.#fail(error)
        this.#pump()
      },
    )
  }

  /** Redis answered; `wakes` is what it was when it was asked. */
  #succeed(permit: RedisPermit | undefined, wakes: number): void {
    this.#failures = 0
    this.#trouble = undefined
    if (permit !== undefined) {
      this.#width = Math.min(this.#width * 2, WIDEST)
      this.#deliver(permit)
    } else if (wakes === this.#wakes) {
      this.#rest(jittered(this.#poll))
    } else {
      this.#width = 1 // one came back after this was asked: ask again
    }
  }

  #deliver(permit: RedisPermit): void {
    const first = this.#waiting.values().next().value
    if (first === undefined)
      void permit.release() // whoever it was for gave up meanwhile
    else first.grant(permit)
  }

  #fail(error: unknown): void {
    if (isFinal(error)) {
      this.failAll(() => asIpcError(this.#label, error))
      return
    }
    this.#trouble = error
    // Those that were under way together fail together, and are one failure.
    if (this.#pause !== undefined) return
    this.#failures += 1
    this.#rest(jittered(Math.min(FIRST_PAUSE * 2 ** Math.min(this.#failures - 1, 10), LONGEST_PAUSE)))
  }

  /** No try for so many milliseconds. */
  #rest(milliseconds: number): void {
    this.#width = 1
    if (this.#waiting.size === 0 || this.#pause !== undefined) return
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.#pump()
    }, milliseconds)
  }

  #resume(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
  }

  #remove(wait: Wait): void {
    this.#waiting.delete(wait)
    if (this.#waiting.size > 0) return
    this.#resume()
    this.#width = WIDEST
  }
}

/** A wait that has not ended. */
class Wait {
  readonly #resolve: (permit: RedisPermit) => void
  readonly #reject: (reason: unknown) => void
  readonly #signal: AbortSignal | undefined
  readonly #onEnd: () => void
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(
    resolve: (permit: RedisPermit) => void,
    reject: (reason: unknown) => void,
    signal: AbortSignal | undefined,
    onEnd: () => void,
  ) {
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    this.#onEnd = onEnd
  }

  /** Whether it has its permit, or its error. */
  get ended(): boolean {
    return this.#ended
  }

  /** Hears of the signal's abort from now on. */
  listen(): void {
    try {
      this.#signal?.addEventListener('abort', this)
    } catch (error) {
      this.fail(error)
    }
  }

  /** The signal's `abort`. */
  handleEvent(): void {
    this.fail(reasonOf(this.#signal))
  }

  endAfter(timeout: number, error: () => unknown): void {
    const deadline = performance.now() + timeout
    const arm = (): void => {
      const ring = (): void => (performance.now() < deadline ? arm() : this.fail(error()))
      this.#timer = setTimeout(ring, timeUntil(deadline))
    }
    arm()
  }

  grant(permit: RedisPermit): void {
    this.#resolve(permit)
    this.#end()
  }

  fail(reason: unknown): void {
    if (this.#ended) return
    this.#reject(reason)
    this.#end()
  }

  /** Its promise is settled before the signal, which may be of other code, is called. */
  #end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#onEnd()
    unlisten(this.#signal, this)
  }
}

/** A quarter more or less, so that processes that began together do not ask together for ever. */
function jittered(milliseconds: number): number {
  return milliseconds * (0.75 + Math.random() / 2)
}
