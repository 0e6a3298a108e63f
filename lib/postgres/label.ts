import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'

/** The beginning of every statement of this package: other processes find it in `pg_stat_activity`. */
const MARK = '/*os-ipc '

/** The most bytes of the comment. `track_activity_query_size` cuts statements at 1,024 bytes; the rest is for the statement. */
const COMMENT_BYTES = 850

/** The most bytes of an `application_name`. */
const APPLICATION_BYTES = 63

/** The content of a statement's comment: facts about its session. */
export interface Label {
  /** The names of the locks that the session holds or requests. `pg_locks` has only their keys. */
  readonly names: readonly string[]
  /** The keys of the locks that the waiting code holds. */
  readonly holds: readonly bigint[]
}

/** The thread that uses the session. */
export const CLIENT_ID = `node-${process.pid}-${threadId}`

/** The session's `application_name`: the thread that uses it, and the machine. */
export const APPLICATION = cut(`os-ipc ${CLIENT_ID}@${hostname().replaceAll(/[^\x21-\x7e]/g, '?')}`)

/** The comment, with as many names as fit, the first ones first. */
export function comment(names: Iterable<string>, holds: Iterable<bigint> = []): string {
  let text = MARK
  for (const key of holds) {
    const next = `h${BigInt.asUintN(64, key).toString(16)} `
    if (text.length + next.length > COMMENT_BYTES / 4) break
    text += next
  }
  for (const name of names) {
    const next = `n${encodeURIComponent(name).replaceAll('*', '%2a')} `
    if (text.length + next.length > COMMENT_BYTES) break
    text += next
  }
  return `${text}*/`
}

/** Reads the comment of another process's statement; `undefined` where the statement is not of this package. */
export function readLabel(statement: string | null): Label | undefined {
  if (!statement?.startsWith(MARK)) return undefined
  const [body = ''] = statement.slice(MARK.length).split('*/')
  const words = body.split(' ').slice(0, -1)
  const names: string[] = []
  const holds: bigint[] = []
  for (const word of words) {
    if (word.startsWith('h')) holds.push(BigInt.asIntN(64, BigInt(`0x${word.slice(1)}`)))
    else names.push(decodeURIComponent(word.slice(1)))
  }
  return { names, holds }
}

/** The owner of a session, read from its `application_name`. */
export function readApplication(application: string | null): { clientId: string; pid: number } | undefined {
  const [, clientId, pid] = /^os-ipc (node-(\d+)-\d+(?:@.*)?)$/.exec(application ?? '') ?? []
  return clientId === undefined ? undefined : { clientId, pid: Number(pid) }
}

function cut(text: string): string {
  return text.slice(0, APPLICATION_BYTES)
}
