import { strict as assert } from 'node:assert'

import type { PermitLike, PermitSource } from '../limit/permit-source.js'
import type { PermitSourceSubject } from './subject.js'

/** What a case works with: sources that are closed after it, and waits that have a limit. */
export class Stage {
  readonly subject: PermitSourceSubject
  readonly #patience: number
  readonly #opened: PermitSource[] = []
  readonly #made: string[] = []
  readonly #permits: PermitLike[] = []

  constructor(subject: PermitSourceSubject) {
    this.subject = subject
    this.#patience = subject.patience ?? 10_000
  }

  async create(permits: number): Promise<PermitSource> {
    const source = await this.subject.create(permits)
    this.#opened.push(source)
    this.#made.push(nameOf(source))
    return source
  }

  async open(source: PermitSource, permits: number): Promise<PermitSource> {
    const other = await this.subject.open(nameOf(source), permits)
    this.#opened.push(other)
    return other
  }

  /** Releases, closes and removes everything, whatever fails. */
  async clear(): Promise<void> {
    await Promise.allSettled(this.#permits.map(async permit => permit.release()))
    const closed = await Promise.allSettled(this.#opened.map(async source => source.close()))
    const removed = await Promise.allSettled(this.#made.map(async name => this.subject.remove?.(name)))
    for (const outcome of [...closed, ...removed]) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** A promise that has to settle. A permit that comes of it is released at the end. */
  async soon<T>(what: string, promise: T | PromiseLike<T>): Promise<T> {
    let alarm: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      alarm = setTimeout(() => reject(new Error(`${what}: not within ${this.#patience} ms`)), this.#patience)
    })
    try {
      const value = await Promise.race([promise, late])
      if (isPermit(value)) this.#permits.push(value)
      return value
    } finally {
      clearTimeout(alarm)
    }
  }

  /** What a promise is rejected with. */
  reasonOf(promise: Promise<unknown>): Promise<unknown> {
    const reason = promise.then(
      () => assert.fail('it was not rejected'),
      (thrown: unknown) => thrown,
    )
    return this.soon('a rejection', reason)
  }

  /** A permit that is there. */
  acquire(source: PermitSource): Promise<PermitLike> {
    return this.soon('a permit that is free', source.acquire())
  }

  /** Takes every permit there is, and gives them back: how many are free. */
  async free(source: PermitSource): Promise<number> {
    const permits: PermitLike[] = []
    for (;;) {
      const permit = await this.soon('tryAcquire', source.tryAcquire())
      if (permit === null) break
      permits.push(permit)
    }
    for (const permit of permits) await permit.release()
    return permits.length
  }

  /** Waits until so many are free: who gives up late gives back late. */
  async becomesFree(source: PermitSource, count: number): Promise<void> {
    const deadline = performance.now() + this.#patience
    let found = await this.free(source)
    while (found !== count && performance.now() < deadline) {
      await later(5)
      found = await this.free(source)
    }
    assert.equal(found, count, 'the permits that are free')
  }

  /** A rejection with this code. */
  async refuses(code: string, call: () => unknown): Promise<void> {
    await assert.rejects(
      async () => this.soon(code, call()),
      (error: unknown) => {
        assert.ok(error instanceof Error, `${String(error)} is no Error`)
        assert.equal((error as NodeJS.ErrnoException).code, code, error.stack ?? error.message)
        return true
      },
    )
  }

  /** A wait that has certainly begun, and not ended. */
  async pending(promise: Promise<unknown>): Promise<void> {
    const outcome = await Promise.race([
      promise.then(
        () => 'it is resolved',
        error => `it is rejected: ${error}`,
      ),
      later(50).then(() => 'pending'),
    ])
    assert.equal(outcome, 'pending')
  }
}

function isPermit(value: unknown): value is PermitLike {
  return typeof value === 'object' && value !== null && 'release' in value
}

export function later(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

/** The name by which it is opened once more. */
function nameOf({ name }: PermitSource): string {
  assert.ok(name !== undefined, 'what create() returns has no name')
  return name
}
