import { createHash } from 'node:crypto'

/** The prefix that keeps the keys of locks apart from keys that other programs derive from the same texts. */
const NAMESPACE = 'os-ipc:lock:'

/** The most keys kept in the cache: a hash takes as long as the rest of a request, without the server. */
const KEPT = 1_000

const kept = new Map<string, bigint>()

/** The key of an advisory lock: the first 64 bits of SHA-256 of the namespace and the name, as a signed number. */
export function keyOf(name: string): bigint {
  let key = kept.get(name)
  if (key === undefined) {
    key = createHash('sha256').update(`${NAMESPACE}${name}`).digest().readBigInt64BE()
    if (kept.size >= KEPT) kept.clear()
    kept.set(name, key)
  }
  return key
}

/** A function that makes a lock's key of its name. */
export type KeyOf = typeof keyOf

/** The SQL that reads a key from a row of `pg_locks`. */
export const KEY = '(l.classid::int8 << 32 | l.objid::int8)'

/** The SQL condition for rows of `pg_locks` that are advisory locks with one 64-bit key, in this database. */
export const IS_OURS = `l.locktype = 'advisory' and l.objsubid = 1
  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())`
