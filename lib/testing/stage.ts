import { strict as assert } from 'node:assert'

import type { PermitLike, PermitSource } from '../limit/permit-source.js'
import type { PermitSourceSubject } from './subject.js'

/** The tools of a case: sources that are closed after it, and waits that have a limit. */
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

  /** Releases, closes and removes everything, even if a step fails. */
  async clear(): Promise<void> {
    await Promise.allSettled(this.#permits.map(async permit => permit.release()))
    const closed = await Promise.allSettled(this.#opened.map(async source => source.close()))
    const removed = await Promise.allSettled(this.#made.map(async name => this.subject.remove?.(name)))
    for (const outcome of [...closed, ...removed]) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** Waits for a promise that must settle in time. A permit that it resolves with is released at the end. */
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

  /** The reason with which a promise rejects. */
  reasonOf(promise: Promise<unknown>): Promise<unknown> {
    const reason = promise.then(
      () => assert.fail('it was not rejected'),
      (thrown: unknown) => thrown,
    )
    return this.soon('a rejection', reason)
  }

  /** Takes a permit that is free. */
  acquire(source: PermitSource): Promise<PermitLike> {
    return this.soon('a permit that is free', source.acquire())
  }

  /** Counts the free permits: takes all of them, and releases them. */
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

  /** Waits until this number is free, because a wait that is given up late returns its permit late. */
  async becomesFree(source: PermitSource, count: number): Promise<void> {
    const deadline = performance.now() + this.#patience
    let found = await this.free(source)
    while (found !== count && performance.now() < deadline) {
      await later(5)
      found = await this.free(source)
    }
    assert.equal(found, count, 'the permits that are free')
  }

  /** Asserts a rejection with this code. */
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

  /** Lets a wait begin, and asserts that it has not ended. */
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

/** The name by which a source can be opened again. */
function nameOf({ name }: PermitSource): string {
  assert.ok(name !== undefined, 'what create() returns has no name')
  return name
}
