import { createHash } from 'node:crypto'

import { keyPrefixOf, type RedisClient } from './client.js'
import { isForbidden } from './failures.js'

/** The facts that the server of a key reports about itself. */
export interface OwnerFacts {
  /** The reply of TIME; `null` where this user may not ask. */
  readonly time: unknown
  /** Sections of INFO; empty where this user may not ask. */
  readonly server: string
  readonly persistence: string
  /** Milliseconds since this server took over the permits of this name; infinite when it always had them. */
  readonly since: number
  /** Whether it took them over from a known server, or may have done so before the first question. */
  readonly tookOver: 'from another' | 'perhaps'
}

/** The lifetime of the note that names the process of the key, in leases: longer than any permit that was taken with it. */
export const NOTE_LEASES = 3

/**
 * A Cluster and Sentinel give a key to another server: a replica becomes the master, a slot moves. A replica may lack the
 * last entries, and its INFO does not have the time of its promotion. So a note beside the entries names the process that
 * had them last. A process that finds the note of another process writes its own note, with the time.
 *
 * If a master comes back with its append-only file, nothing is lost, and this is no takeover (its second replication id
 * is all zeros). If there is no note, but the caller knows a process that must have written one, the data is lost. If
 * there never was a note, a server that was a replica before may have taken over at an unknown time.
 *
 * KEYS: the entries, the note. ARGV: the lifetime of the note; the process whose note must still exist, or an empty
 * string. A script with a key, unlike TIME and INFO alone, is sent to the server that has the key.
 */
const LOOK = script(`
  local function info(section)
    local said = redis.pcall('INFO', section)
    return type(said) == 'string' and said or ''
  end
  local time = redis.pcall('TIME')
  local server, persistence, replication = info('server'), info('persistence'), info('replication')
  local run = string.match(server, 'run_id:(%w+)')
  if time.err then time = false end
  if not (run and time and KEYS[2]) then return {time, server, persistence, -1, ''} end
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local note = redis.call('GET', KEYS[2]) or ''
  local last, since, how = string.match(note, '^(%w+) (%d+) (%a+)$')
  local replid = string.match(replication, 'master_replid2:(%w+)') or ''
  local promoted = string.match(replid, '[^0]') ~= nil
  local kept = string.match(persistence, 'aof_enabled:1') and not string.match(persistence, 'aof_base_size:0%D')
  if last and last ~= run then
    since, how = (kept and not promoted) and 0 or now, 'moved'
  elseif not last and ARGV[2] ~= '' and ARGV[2] ~= run then
    since, how = now, 'moved'
  elseif not last then
    since, how = (promoted and ARGV[2] == '') and now or 0, 'new'
  end
  since = tonumber(since)
  redis.call('SET', KEYS[2], run .. ' ' .. string.format('%.0f', since) .. ' ' .. how, 'PX', ARGV[1])
  return {time, server, persistence, since == 0 and -1 or math.max(now - since, 0), how}`)

/** The process of Redis that has the key. */
const WHO = script(`
  local said = redis.pcall('INFO', 'server')
  return type(said) == 'string' and string.match(said, 'run_id:(%w+)') or ''`)

/** Asks the server that has a key, whichever it is. */
export class Owner {
  readonly #client: RedisClient
  readonly #keys: readonly string[]
  readonly #noteFor: number
  #noted = true

  constructor(client: RedisClient, key: string, lease: number) {
    this.#client = client
    const note = noteKey(keyPrefixOf(client), key)
    this.#keys = note === undefined ? [key] : [key, note]
    this.#noteFor = lease * NOTE_LEASES
  }

  /** `last` is the process whose note must still exist; empty if there is none. */
  async look(last: string): Promise<OwnerFacts> {
    const answer = await this.#look(last).catch(error => {
      // A user without the right to write notes gets permits without this check, like a user without the right to INFO.
      if (!this.#noted || !isForbidden(error)) throw error
      this.#noted = false
      return this.#look(last)
    })
    const [time, server, persistence, since, how] = answer as [unknown, unknown, unknown, unknown, unknown]
    return {
      time,
      server: String(server),
      persistence: String(persistence),
      since: Number(since) < 0 ? Number.POSITIVE_INFINITY : Number(since),
      tookOver: String(how) === 'moved' ? 'from another' : 'perhaps',
    }
  }

  async #look(last: string): Promise<unknown> {
    const keys = this.#noted ? this.#keys : this.#keys.slice(0, 1)
    return run(this.#client, LOOK, keys, this.#noteFor, last)
  }

  async who(): Promise<string> {
    return String(await run(this.#client, WHO, this.#keys.slice(0, 1)))
  }
}

interface Script {
  readonly text: string
  readonly sha1: string
}

function script(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}

async function run(
  client: RedisClient,
  { text, sha1 }: Script,
  keys: readonly string[],
  ...args: (string | number)[]
): Promise<unknown> {
  try {
    return await client.evalsha(sha1, keys.length, ...keys, ...args)
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('NOSCRIPT'))) throw error
    return client.eval(text, keys.length, ...keys, ...args)
  }
}

/**
 * The key of the note: one that a Cluster keeps beside the entries (the same hash tag), and that the rights to
 * `semaphore:os-ipc:*` include. `undefined` for a name with braces that make this impossible.
 */
export function noteKey(prefix: string, key: string): string | undefined {
  const hashed = hashedPart(`${prefix}${key}`)
  const note = `semaphore:os-ipc:{${hashed}}:server`
  return hashedPart(`${prefix}${note}`) === hashed ? note : undefined
}

/** The part of a key that decides its slot. */
function hashedPart(key: string): string {
  return /^[^{]*\{([^}]+)\}/.exec(key)?.[1] ?? key
}
