import { nameCollision } from './failures.js'
import { IS_OURS, KEY, keyOf, type KeyOf } from './key.js'
import { findCircle, type ServerEdge } from './deadlock.js'
import { readLabel } from './label.js'
import { enclosing } from './pending.js'
import type { NameQueue } from './queue.js'
import type { Session } from './session.js'
import type { Sessions } from './sessions.js'
import { closed, deadlock } from './failures.js'

/** The milliseconds until a wait is checked for the first time; each later check comes after twice as long, up to a minute. */
const FIRST_LOOK = 1_000
const LONGEST_LOOK = 60_000

/** The state that the queues of one process share. */
export class Shared {
  readonly sessions: Sessions
  readonly queues = new Map<string, NameQueue>()
  readonly keyOf: KeyOf
  readonly #names = new Map<bigint, string>()
  readonly #onEmpty: () => void
  #order = 0

  constructor(sessions: Sessions, onEmpty: () => void, keys: KeyOf = keyOf) {
    this.sessions = sessions
    this.keyOf = keys
    this.#onEmpty = onEmpty
  }

  nextOrder(): number {
    this.#order += 1
    return this.#order
  }

  /** The key of a name that this process is about to use. Two names with one key would share a lock without notice. */
  claim(name: string): bigint {
    const key = this.keyOf(name)
    const other = this.#names.get(key)
    if (other !== undefined && other !== name) throw nameCollision(name, other)
    this.#names.set(key, name)
    return key
  }

  nameOf(key: bigint): string | undefined {
    return this.#names.get(key)
  }

  /** Drops a queue that holds no lock and has no waiting request. */
  onIdle(queue: NameQueue): void {
    if (this.queues.get(queue.name) !== queue) return
    this.queues.delete(queue.name)
    this.#names.delete(queue.key)
    if (this.queues.size === 0) this.#onEmpty()
  }

  /** A new fence, unless a session waits in the server's queue for the lock. */
  async fenceIfNobodyWaits(main: Session, key: bigint): Promise<number | undefined> {
    const [row] = await main.run(
      `select case when not exists (
         select from pg_catalog.pg_locks l where ${IS_OURS} and ${KEY} = $1::int8 and not l.granted
       ) then pg_catalog.pg_current_xact_id()::text end`,
      [`${key}`],
    )
    const fence = row?.[0]
    return fence === null || fence === undefined ? undefined : Number(fence)
  }

  /** The keys of the locks that cannot be released before this queue's lock is granted, because their holders wait for it. */
  heldBehind(queue: NameQueue): Set<bigint> {
    const held = new Set<bigint>()
    const reached = new Set([queue.key])
    for (const key of reached) {
      for (const { key: target, pending } of this.queues.values()) {
        if (target !== key) continue
        for (const { outer } of pending) {
          for (const grant of enclosing(outer)) {
            held.add(grant.hold.key)
            reached.add(grant.hold.key)
          }
        }
      }
    }
    return held
  }

  /** Checks a wait at intervals, until the returned function is called. */
  lookAfter(queue: NameQueue): () => void {
    this.sessions.watch(+1)
    let timer: NodeJS.Timeout | undefined
    let ended = false
    let seen: unknown
    const arm = (delay: number) => {
      timer = setTimeout(async () => {
        try {
          seen = await this.#look(queue, seen)
        } catch {
          // The wait itself notices a fault of the server; this check found nothing.
        }
        if (!ended) arm(Math.min(delay * 2, LONGEST_LOOK))
      }, delay).unref()
    }
    arm(FIRST_LOOK)
    return () => {
      ended = true
      clearTimeout(timer)
      this.sessions.watch(-1)
    }
  }

  /** Searches for names that collide and holders that wait for each other. Returns the request that it suspects. */
  async #look(queue: NameQueue, suspect: unknown): Promise<unknown> {
    const main = await this.sessions.main()
    const rows = await main.run(
      `select a.pid, a.query, ${KEY}::text, l.granted
       from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
       where ${IS_OURS} and a.application_name like 'os-ipc %'
         and l.pid <> all ($1::int[]) and (not l.granted or ${KEY} = $2::int8)`,
      [`{${this.sessions.pids}}`, `${queue.key}`],
    )
    const { wait } = queue
    if (wait === undefined) return undefined
    const edges: ServerEdge[] = []
    const names = new Map<bigint, string>()
    for (const [pid, query, text, granted] of rows) {
      const label = readLabel(query as string | null)
      if (label === undefined) continue
      const key = BigInt(text as string)
      for (const name of label.names) {
        names.set(this.keyOf(name), name)
        if (this.keyOf(name) === queue.key && name !== queue.name) {
          queue.failAll(nameCollision(queue.name, name))
          return undefined
        }
      }
      if (granted === false) for (const from of label.holds) edges.push({ from, to: key, pid: Number(pid) })
    }
    const circle = findCircle(queue, this.queues.values(), edges)
    if (circle === undefined) return undefined
    // Either all processes of the circle find it, or only one. The last one in the server's order gives up at once.
    const isLast = circle.pids.every(pid => pid <= wait.session.pid)
    if (!isLast && suspect !== circle.request) return circle.request
    circle.request.fail(deadlock(circle.keys.map(key => this.nameOf(key) ?? names.get(key) ?? `key ${key}`)))
    return undefined
  }

  /** Rejects every waiting request. */
  failAll(): void {
    for (const queue of [...this.queues.values()]) queue.failAll(closed())
  }
}
