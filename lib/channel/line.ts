import { IpcError } from '../errors.js'
import { channelWaits } from '../diagnostics/channels.js'
import type { SemaphoreHandle } from '../semaphore/handle.js'
import { setImmediate, setTimeout } from '../waiting/clock.js'
import type { WaitLimits } from '../waiting/options.js'
import { setReferenced } from '../waiting/waiting.js'
import { rejected } from '../promises.js'
import { Call, type LATER } from './call.js'
import { Doze } from './doze.js'
import type { Ring } from './ring.js'

/**
 * Milliseconds after which a sleeper checks again: a process can die after it sent a message and before it woke a
 * receiver.
 */
const RECHECK = 100

/** The most calls in a row that succeed at once before the event loop gets a turn: timers and sockets must not starve. */
const CREDIT = 1000

/** The most units that a sleeper takes at once. Surplus units are left over, or come from a hostile peer. */
const MOST_UNITS = 8

/** A call of any result. */
type Waiting = Pick<Call<unknown>, 'ended' | 'trying' | 'settle' | 'fail'>

/** The differences between the two sides of a channel. */
export interface LineOf {
  side: 'send' | 'receive'
  /** The word that counts the sleepers of this side. */
  asleep: number
  semaphore: SemaphoreHandle
  /** The error of a call whose time is over. */
  timedOut: () => IpcError
  /** Throws if the channel is closed. */
  checkOpen: () => void
  /** Spins for a moment before a sleep; whether the first call can probably go on. */
  spin: () => boolean
}

/** The calls of one side that wait in this process, in their order, and the sleep until the first one can go on. */
export class Line {
  readonly #name: string
  readonly #ring: Ring
  readonly #of: LineOf
  readonly #doze: Doze
  #calls: Waiting[] = []
  /** Whether this process is counted among the sleepers. */
  #counted = false
  /** How many units were posted for this process after it stayed awake. */
  #surplus = 0
  #watch: NodeJS.Timeout | undefined
  #credit = CREDIT
  #yields = false

  constructor(name: string, ring: Ring, of: LineOf) {
    this.#name = name
    this.#ring = ring
    this.#of = of
    this.#doze = new Doze(of.semaphore, {
      granted: () => this.#takeUnit(),
      woken: () => this.#wakeUp(),
      broken: error => this.#fail(error),
    })
  }

  /** Whether no call waits. */
  get empty(): boolean {
    return this.#calls.length === 0
  }

  /** Whether the event loop can wait for another turn of this side. */
  get hasCredit(): boolean {
    return this.#credit > 0
  }

  /** Whether a call can be tried at once: none is before it, and the event loop had its turn. */
  get free(): boolean {
    return this.#calls.length === 0 && this.#credit > 0
  }

  /** A call succeeded at once; a large message counts as several. */
  spend(credit: number): void {
    this.#credit -= credit
  }

  /** Lines up a call. Throws if the call has no time: then it waits only for the turn of the event loop that it owes. */
  wait<T>(attempt: () => T | typeof LATER, limits: WaitLimits): Promise<T> {
    if (limits.timeout === 0 && this.#credit > 0) throw this.timedOut()
    if (limits.signal?.aborted) return rejected(limits.signal.reason)
    const call = new Call<T>(this, attempt, limits)
    if (call.ended) return call.promise
    try {
      // A signal of the program can close the channel when it gets its listener.
      this.#of.checkOpen()
    } catch (error) {
      call.fail(error)
      return call.promise
    }
    try {
      // The turn first: it throws if the stack has no room, and then the call must not be in the line.
      if (this.#credit <= 0) this.#yield()
      this.#calls.push(call)
      if (this.#credit > 0 && this.#calls.length === 1) this.#goOn()
    } catch (error) {
      // The stack has no room. The call must not take a message for a promise that is rejected.
      call.ended = true
      const place = this.#calls.indexOf(call)
      if (place >= 0) this.#calls.splice(place, 1)
      call.fail(error)
    }
    return call.promise
  }

  /** A call has ended before its turn. If its own attempt ended it, the loop that made the attempt takes it out. */
  leave(call: Waiting): void {
    if (call.trying) return
    const place = this.#calls.indexOf(call)
    if (place < 0) return
    this.#calls.splice(place, 1)
    if (place === 0 && !this.#yields) this.#goOn()
  }

  timedOut(): IpcError {
    return this.#of.timedOut()
  }

  /** Tries the calls in a turn of the event loop. */
  takeTurn(): void {
    if (this.#credit <= 0) this.#credit = CREDIT
    if (this.#calls.length > 0) this.#goOn()
  }

  /** Tries the calls: one of them may have nothing more to wait for. */
  retry(): void {
    if (this.#calls.length > 0 && !this.#yields) this.#goOn()
  }

  setReferenced(alive: boolean): void {
    setReferenced(this.#of.semaphore, alive)
  }

  /** Ends all calls. */
  close(error: unknown): void {
    const calls = this.#calls
    this.#calls = []
    for (const call of calls) call.fail(error)
    this.#stay()
  }

  /** Tries the calls in their order, and sleeps if one of them has to wait. */
  #goOn(): void {
    for (let units = 0; ; units++) {
      if (this.#settle()) return
      if (this.#credit <= 0) {
        this.#yield()
        return
      }
      if (this.#doze.waits) return
      if (!this.#counted && this.#of.spin() && (this.#settle() || this.#doze.waits)) return
      if (!this.#counted) {
        this.#ring.fallAsleep(this.#of.asleep)
        this.#counted = true
        channelWaits(this.#name, this.#of.side)
        // A message or a release between the last attempt and this count woke no process, so try once more.
        if (this.#settle()) return
        // A subscriber ended the first call, and the next one has begun to wait.
        if (this.#doze.waits) return
      }
      try {
        if (this.#doze.begin()) {
          this.#startWatch()
          return
        }
      } catch (error) {
        this.#fail(error)
        return
      }
      this.#takeUnit()
      if (units === MOST_UNITS) {
        this.#credit = 0
        this.#yield()
        return
      }
    }
  }

  /** Tries the calls in their order; true if none is left. */
  #settle(): boolean {
    const calls = this.#calls
    let done = 0
    while (done < calls.length && (calls[done] as Waiting).settle()) done += 1
    if (done > 0) calls.splice(0, done)
    if (calls.length > 0) return false
    this.#stay()
    return true
  }

  /** Takes this process out of the count of sleepers, and ends the sleep. */
  #stay(): void {
    // If the count is 0, another process took this one from it, and posts a unit that nobody waits for.
    if (this.#counted && !this.#ring.getUp(this.#of.asleep)) this.#surplus += 1
    this.#counted = false
    this.#doze.cancel()
  }

  /**
   * This process has a unit. The process that posted it took a sleeper from the count: this one, or the one that stayed awake.
   * Then this one is still in the count. Without this, the count would grow, and each send would post units for nobody.
   */
  #takeUnit(): void {
    if (this.#surplus > 0) this.#surplus -= 1
    else this.#counted = false
  }

  /** A unit came. */
  #wakeUp(): void {
    // The unit was for a call that has ended, so it goes to another process.
    if (this.#calls.length === 0) this.#ring.passOn(this.#of.asleep)
    else this.#goOn()
  }

  #fail(error: unknown): void {
    // The state of the channel has the reason. A removal begins with the semaphores.
    const isRemoved = error instanceof IpcError && error.code === 'EIDRM'
    const reason =
      this.#ring.state !== 0 ? this.#ring.stateError() : isRemoved ? this.#ring.removedError() : error
    if (this.#settle()) return
    this.close(reason)
  }

  #yield(): void {
    if (this.#yields) return
    // It throws if the stack has no room.
    setImmediate(this.#turn)
    this.#yields = true
  }

  readonly #turn = (): void => {
    this.#yields = false
    this.takeTurn()
  }

  #startWatch(): void {
    this.#watch ??= setTimeout(() => this.#look(), RECHECK).unref()
  }

  #look(): void {
    if (!this.#doze.waits) {
      this.#watch = undefined
      return
    }
    this.#watch?.refresh()
    this.#goOn()
  }
}
