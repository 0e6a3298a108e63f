import { clearTimeout, performance, setTimeout } from '../waiting/clock.js'
import { timeUntil } from '../waiting/deadline.js'
import { asIpcError, isFinal, timedOut } from './failures.js'
import type { WaitLimits } from '../waiting/options.js'
import type { RedisPermit } from './permit.js'
import { reasonOf, unlisten } from '../waiting/signals.js'

/** The most tries that may be under way at once. */
const WIDEST = 32

/** The first pause, in milliseconds, while Redis cannot be reached; each pause is twice as long as the one before. */
const FIRST_PAUSE = 25
const LONGEST_PAUSE = 1_000

/** The age of a question, in milliseconds, from which on its missing answer counts as the reason of a failed wait. */
const SLOW = 250

/** The source of the permits. */
export interface Supply {
  /** Takes a permit if one is free now. */
  take(): Promise<RedisPermit | undefined>
  /** The reason why a question has had no answer for this many milliseconds. */
  silence(milliseconds: number): unknown
}

/**
 * The pending waits of one source: first come, first served among themselves.
 *
 * Redis is asked only for the first waits, however many there are. A permit goes to the wait that is first by then, or back.
 */
export class Waits {
  readonly #waiting = new Set<Wait>()
  readonly #supply: Supply
  readonly #poll: number
  readonly #label: string
  #trying = 0
  /** The number of tries that are allowed now: one after a refusal, twice as many after each permit. */
  #width = WIDEST
  #pause: NodeJS.Timeout | undefined
  /** The number of permits released by this source. */
  #wakes = 0
  #failures = 0
  /** The reason why Redis does not answer; `undefined` while it answers. */
  #trouble: unknown
  /** The times of the questions that have no answer yet, the oldest first. */
  readonly #asked = new Set<{ readonly at: number }>()
  /** The time of the last answer of Redis. */
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
      // This comes first: a signal that throws here ends this wait, and leaves nothing behind.
      wait.listen()
      if (wait.ended) return
      this.#waiting.add(wait)
      if (timeout !== undefined) {
        wait.endAfter(timeout, () => timedOut(this.#label, this.#trouble ?? this.#silence(start)))
      }
      this.#pump()
    })
  }

  /** A permit was released here: it may be free for the next wait. */
  wake(): void {
    this.#wakes += 1
    if (this.#waiting.size === 0 || this.#failures > 0) return
    this.#resume()
    this.#pump()
  }

  /** Ends all waits. */
  failAll(reason: () => unknown): void {
    for (const wait of this.#waiting) wait.fail(reason())
  }

  /** The reason why a wait that began at `start` had no answer, if that is why it got no permit. */
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

  /** Handles an answer of Redis; `wakes` is the value at the time of the question. */
  #succeed(permit: RedisPermit | undefined, wakes: number): void {
    this.#failures = 0
    this.#trouble = undefined
    if (permit !== undefined) {
      this.#width = Math.min(this.#width * 2, WIDEST)
      this.#deliver(permit)
    } else if (wakes === this.#wakes) {
      this.#rest(jittered(this.#poll))
    } else {
      this.#width = 1 // a permit was released after the question: ask again
    }
  }

  #deliver(permit: RedisPermit): void {
    const first = this.#waiting.values().next().value
    if (first === undefined)
      void permit.release() // its wait was given up meanwhile
    else first.grant(permit)
  }

  #fail(error: unknown): void {
    if (isFinal(error)) {
      this.failAll(() => asIpcError(this.#label, error))
      return
    }
    this.#trouble = error
    // Tries that were under way together fail together, and count as one failure.
    if (this.#pause !== undefined) return
    this.#failures += 1
    this.#rest(jittered(Math.min(FIRST_PAUSE * 2 ** Math.min(this.#failures - 1, 10), LONGEST_PAUSE)))
  }

  /** Makes no try for this many milliseconds. */
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

  /** Whether it has its permit or its error. */
  get ended(): boolean {
    return this.#ended
  }

  /** Listens to the signal from now on. */
  listen(): void {
    try {
      this.#signal?.addEventListener('abort', this)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Handles the `abort` event of the signal. */
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

  /** Ends it. The promise settles before the call of the signal, which may be foreign code. */
  #end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#onEnd()
    unlisten(this.#signal, this)
  }
}

/** Changes a pause by up to a quarter, so that processes that began together do not keep asking together. */
function jittered(milliseconds: number): number {
  return milliseconds * (0.75 + Math.random() / 2)
}
