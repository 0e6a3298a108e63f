// The advisory locks of PostgreSQL, as far as examples/postgres-permits.mjs uses them, in memory: the locks of a
// connection end with it.

import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'

export class AdvisoryLocks {
  /** The locked keys, each with the connection that locked it. */
  readonly #locks = new Map<string, Connection>()

  /** Acts as a Pool of the package pg; every connection is new. */
  pool(): { connect(): Promise<Connection> } {
    return { connect: async () => new Connection(this.#locks) }
  }

  /** Ends the connections, as the server does. */
  endConnectionsThatLock(name: string): void {
    for (const [key, connection] of this.#locks) if (key.startsWith(`${name} `)) connection.end()
  }
}

class Connection extends EventEmitter {
  readonly #locks: Map<string, Connection>
  #ended = false

  constructor(locks: Map<string, Connection>) {
    super()
    this.#locks = locks
  }

  async query(text: string, [name, place]: [string, number]): Promise<{ rows: object[] }> {
    await turn()
    if (this.#ended) throw new Error('Connection terminated')
    const key = `${name} ${place}`
    if (text.includes('pg_try_advisory_lock')) {
      const got = !this.#locks.has(key)
      if (got) this.#locks.set(key, this)
      return { rows: [{ got }] }
    }
    if (!text.includes('pg_advisory_unlock')) throw new Error(`what is ${text}?`)
    return { rows: [{ unlocked: this.#locks.get(key) === this && this.#locks.delete(key) }] }
  }

  release(destroy = false): void {
    if (destroy) this.end()
  }

  end(): void {
    this.#ended = true
    for (const [key, connection] of this.#locks) if (connection === this) this.#locks.delete(key)
    this.emit('end')
  }
}
