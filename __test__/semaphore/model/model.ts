import assert from 'node:assert/strict'

import type { Kind, Reply, Step } from './play.ts'

const INITIAL = 2

/** On Windows an object ends when no process has it open. */
const ENDS_WITH_LAST_HANDLE = process.platform === 'win32'

/** A semaphore or a limit: a number, its waiters, and whether it was removed. */
interface Counter {
  units: number
  removed: boolean
}

interface Wait {
  readonly wait: number
  readonly permit: boolean
  readonly counter: Counter
}

/** The state of a process. */
interface Side {
  /** The semaphore that its handle is open on. */
  handle: Counter | undefined
  /** In the order in which they were called. */
  waits: Wait[]
  permits: { readonly permit: number; readonly counter: Counter }[]
}

/** The result of a call according to the model, and further arguments for the call. */
interface Expected {
  readonly outcome: string
  readonly arguments: object
}

/** Semaphores and processes as simple as they can be. */
export class Model {
  readonly #kind: Kind
  readonly #sides: readonly Side[]
  /** The object that has the name. */
  #named: Counter | undefined
  #numbers = 0
  /** Waits that have to end in an error, and the error. */
  readonly #failing = new Map<number, string>()

  constructor(kind: Kind, processes: number) {
    this.#kind = kind
    this.#sides = Array.from({ length: processes }, () => ({ handle: undefined, waits: [], permits: [] }))
  }

  /** A POSIX semaphore lives on without its name. */
  get #unlinkWakes(): boolean {
    return this.#kind !== 'posix'
  }

  /** Everything that has to end has ended. */
  get isSettled(): boolean {
    const waiting = this.#sides.flatMap(side => side.waits)
    return this.#failing.size === 0 && waiting.every(({ counter }) => counter.units === 0)
  }

  /** Does a call; returns `undefined` when the call makes no sense now. */
  call({ process, call, pick }: Step): Expected | undefined {
    const side = this.#sides[process] as Side
    if (call === 'create' || call === 'open' || call === 'openOrCreate') {
      return side.handle === undefined ? this.#open(side, call) : undefined
    }
    if (call === 'release') return this.#release(side, pick)
    const counter = side.handle
    if (counter === undefined) return undefined
    if (call === 'close') return this.#close(side)
    if (call === 'unlink') return this.#unlink(counter)
    if (call === 'abort') return this.#abort(side, pick)
    this.#numbers += 1
    const number = this.#numbers
    if (counter.removed && this.#unlinkWakes) return { outcome: 'EIDRM', arguments: { number } }
    if (call === 'value') return { outcome: String(counter.units), arguments: {} }
    if (call === 'post') {
      counter.units += 1
      return { outcome: 'done', arguments: {} }
    }
    const permit = call === 'acquire' || call === 'tryAcquire'
    if (counter.units > 0) {
      counter.units -= 1
      if (permit) side.permits.push({ permit: number, counter })
      return { outcome: 'done', arguments: { number } }
    }
    if (call === 'tryWait' || call === 'tryAcquire') return { outcome: 'none', arguments: { number } }
    side.waits.push({ wait: number, permit, counter })
    return { outcome: 'pending', arguments: { number } }
  }

  /** Records waits that ended: the oldest ones of the process with a free unit, or with the error that they had to get. */
  ended(process: number, ended: Reply['ended']): void {
    const side = this.#sides[process] as Side
    for (const { wait, how } of ended) {
      if (this.#failing.has(wait)) {
        assert.equal(how, this.#failing.get(wait), `wait ${wait}`)
        this.#failing.delete(wait)
        continue
      }
      const index = side.waits.findIndex(one => one.wait === wait)
      const one = side.waits[index]
      assert.ok(one !== undefined && how === 'done', `wait ${wait} ended with ${how}`)
      const before = side.waits.slice(0, index).filter(({ counter }) => counter === one.counter)
      assert.deepEqual(before, [], 'first come, first served in a process')
      assert.ok(one.counter.units > 0, 'a wait took a unit that was not free')
      one.counter.units -= 1
      side.waits.splice(index, 1)
      if (one.permit) side.permits.push({ permit: wait, counter: one.counter })
    }
  }

  toString(): string {
    return JSON.stringify({ named: this.#named, sides: this.#sides, failing: [...this.#failing] })
  }

  #open(side: Side, call: 'create' | 'open' | 'openOrCreate'): Expected {
    const expected = { arguments: { initial: INITIAL } }
    if (call === 'create' && this.#named !== undefined) return { outcome: 'EEXIST', ...expected }
    if (call === 'open' && this.#named === undefined) return { outcome: 'ENOENT', ...expected }
    this.#named ??= { units: INITIAL, removed: false }
    side.handle = this.#named
    return { outcome: 'done', ...expected }
  }

  #release(side: Side, pick: number): Expected | undefined {
    if (side.permits.length === 0) return undefined
    const [released] = side.permits.splice(pick % side.permits.length, 1)
    if (released === undefined) return undefined
    released.counter.units += released.counter.removed && this.#unlinkWakes ? 0 : 1
    return { outcome: 'done', arguments: { number: released.permit } }
  }

  #abort(side: Side, pick: number): Expected | undefined {
    const [aborted] = side.waits.splice(pick % Math.max(side.waits.length, 1), 1)
    if (aborted === undefined) return undefined
    this.#failing.set(aborted.wait, 'AbortError')
    return { outcome: 'done', arguments: { number: aborted.wait } }
  }

  #close(side: Side): Expected {
    for (const { wait, counter } of side.waits)
      if (counter === side.handle) this.#failing.set(wait, 'ERR_CLOSED')
    side.waits = side.waits.filter(({ counter }) => counter !== side.handle)
    const closed = side.handle
    side.handle = undefined
    if (ENDS_WITH_LAST_HANDLE && closed === this.#named && !this.#isUsed(closed)) this.#named = undefined
    return { outcome: 'done', arguments: {} }
  }

  /** A held permit keeps its limit open. */
  #isUsed(counter: Counter | undefined): boolean {
    return this.#sides.some(
      side => side.handle === counter || side.permits.some(permit => permit.counter === counter),
    )
  }

  /** System V wakes all waiters. */
  #unlink(counter: Counter): Expected {
    if (this.#named === counter) this.#named = undefined
    counter.removed = true
    if (this.#unlinkWakes) {
      counter.units = 0
      for (const side of this.#sides) {
        for (const { wait } of side.waits.filter(one => one.counter === counter))
          this.#failing.set(wait, 'EIDRM')
        side.waits = side.waits.filter(one => one.counter !== counter)
      }
    }
    return { outcome: 'done', arguments: {} }
  }
}
