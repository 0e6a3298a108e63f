import { wrongType, wrongValue } from '../errors.js'
import type { OptionNames } from '../misuse.js'
import { checkInteger, checkOptions } from '../options.js'

/** The options of {@link PostgresLocks.connect}. */
export interface PostgresLocksOptions {
  /**
   * The most connections, 2 to 1,000; 10 when missing. One of them holds all locks that were granted at once. Each lock
   * granted after a wait occupies one more until it is released. Further waits queue for a connection. A `Pool` gives at
   * most the connections that it has.
   */
  maxConnections?: number | undefined
  /**
   * Milliseconds of silence after which a peer counts as dead, 3,000 to 3,600,000; 15,000 when missing. The server frees the
   * locks of a host that is silent for that long. This process counts its locks as lost a tenth earlier. All processes must
   * have the same value.
   */
  deadAfter?: number | undefined
  /**
   * `'session'` allows a connection pooler (pgbouncer) between this process and the server. Only a pooler in session mode
   * keeps locks; without this option every pooler is refused.
   */
  pooler?: 'session' | undefined
}

const NAMES: OptionNames<PostgresLocksOptions> = { maxConnections: true, deadAfter: true, pooler: true }

/** The options, checked and complete. */
export interface Settings {
  readonly maxConnections: number
  readonly deadAfter: number
  readonly allowsPooler: boolean
}

/** `inPool` is how many connections the source has, where it is a pool. */
export function checkSettings(options: unknown, inPool = Number.POSITIVE_INFINITY): Settings {
  if (inPool < 2) throw wrongValue('a Pool for locks has at least 2 connections (max): one of them waits')
  const given: PostgresLocksOptions = checkOptions(options as PostgresLocksOptions | undefined, NAMES)
  const { maxConnections = 10, deadAfter = 15_000, pooler } = given
  if (pooler !== undefined && typeof pooler !== 'string') throw wrongType('pooler', "'session'", pooler)
  if (pooler !== undefined && pooler !== 'session') {
    throw wrongValue(`pooler must be 'session', received '${pooler as string}'`)
  }
  return {
    maxConnections: Math.min(checkInteger('maxConnections', maxConnections, 2, 1_000), inPool),
    deadAfter: checkInteger('deadAfter', deadAfter, 3_000, 3_600_000),
    allowsPooler: pooler === 'session',
  }
}

/** The most bytes of a lock's name: the same as for a lock of one host. */
const NAME_BYTES = 250

export function checkNameLength(name: string): void {
  if (Buffer.byteLength(name) > NAME_BYTES) {
    throw wrongValue(`the name of a lock has at most ${NAME_BYTES} bytes, this one has more`)
  }
}
