// Your own PermitSource: each permit is an advisory lock of PostgreSQL on one connection. The end of the connection
// ends the lock and aborts the signal. os-ipc/testing checks it: __test__/project/examples.test.ts.

import { setTimeout as sleep } from 'node:timers/promises'

import { IpcError } from 'os-ipc'

/** Milliseconds between two tries, and the longest timer of Node. */
const POLL = 20
const LONGEST = 2 ** 31 - 1

/** @implements {import('os-ipc').PermitSource} */
export class PostgresPermits {
  #pool
  #permits
  #closing = new AbortController()
  #pending = 0

  /** `pool` is a Pool of the package pg, with room for `permits` connections and one more. */
  constructor(pool, name, permits) {
    this.#pool = pool
    this.#permits = permits
    this.name = name
  }

  async acquire(options = {}) {
    const { timeout, signal } = checked(options)
    this.#checkOpen()
    signal?.throwIfAborted()
    const late = AbortSignal.timeout(timeout ?? LONGEST)
    const ends = AbortSignal.any([this.#closing.signal, late, ...(signal ? [signal] : [])])
    this.#pending += 1
    try {
      for (;;) {
        const permit = await this.#tryOnce()
        if (permit && (!ends.aborted || timeout === 0)) return permit
        await permit?.release() // it came too late
        await sleep(POLL, undefined, { signal: ends })
      }
    } catch (error) {
      if (!ends.aborted) throw error
      if (ends.reason === late.reason)
        throw new IpcError('ETIMEDOUT', `no permit of '${this.name}' came in time`)
      throw ends.reason
    } finally {
      this.#pending -= 1
    }
  }

  async tryAcquire() {
    this.#checkOpen()
    return this.#tryOnce()
  }

  async use(fn, options) {
    if (typeof fn !== 'function')
      throw Object.assign(new TypeError('no function'), { code: 'ERR_INVALID_ARG_TYPE' })
    const permit = await this.acquire(options)
    try {
      return await fn(permit)
    } finally {
      await permit.release()
    }
  }

  async info() {
    this.#checkOpen()
    return { name: this.name, free: undefined, pending: this.#pending }
  }

  close() {
    this.#closing.abort(new IpcError('ERR_CLOSED', `'${this.name}' is closed`))
  }

  async [Symbol.asyncDispose]() {
    this.close()
  }

  async #tryOnce() {
    const client = await this.#pool.connect()
    for (let place = 0; place < this.#permits; place += 1) {
      const key = [this.name, place]
      const { rows } = await client.query('select pg_try_advisory_lock(hashtext($1), $2) as got', key)
      if (rows[0].got) return new PostgresPermit(client, key)
    }
    client.release()
    return null
  }

  #checkOpen() {
    this.#closing.signal.throwIfAborted()
  }
}

/** @implements {import('os-ipc').PermitLike} */
class PostgresPermit {
  #client
  #key
  #lost = new AbortController()
  #releasing
  released = false

  constructor(client, key) {
    this.#client = client
    this.#key = key
    client.on('end', this.#onEnd)
    client.on('error', this.#onEnd)
  }

  get signal() {
    return this.#lost.signal
  }

  release() {
    this.released = true
    this.#releasing ??= this.#giveBack()
    return this.#releasing
  }

  [Symbol.dispose]() {
    void this.release()
  }

  [Symbol.asyncDispose]() {
    return this.release()
  }

  async #giveBack() {
    this.#client.off('end', this.#onEnd)
    this.#client.off('error', this.#onEnd)
    const unlocked = await this.#client.query('select pg_advisory_unlock(hashtext($1), $2)', this.#key).then(
      () => true,
      () => false,
    )
    // If the unlock fails, the connection is ended, which ends its lock.
    this.#client.release(!unlocked)
  }

  #onEnd = cause => {
    this.#lost.abort(new IpcError('ERR_PERMIT_LOST', `the permit of '${this.#key[0]}' is lost`, { cause }))
  }
}

function checked(options) {
  const wrong = (Kind, code) => Object.assign(new Kind(code), { code })
  if (typeof options !== 'object' || options === null) throw wrong(TypeError, 'ERR_INVALID_ARG_TYPE')
  const { signal } = options
  const timeout = options.timeout === Infinity ? undefined : options.timeout
  if (timeout !== undefined && typeof timeout !== 'number') throw wrong(TypeError, 'ERR_INVALID_ARG_TYPE')
  if (timeout !== undefined && !(timeout >= 0 && timeout <= LONGEST))
    throw wrong(RangeError, 'ERR_OUT_OF_RANGE')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw wrong(TypeError, 'ERR_INVALID_ARG_TYPE')
  return { timeout, signal }
}
