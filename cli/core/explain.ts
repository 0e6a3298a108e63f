// Errors of the library in the words of the command line: one line, the cause, the cure.

import { existsSync, statSync } from 'node:fs'

import type { Library } from './command.js'
import { EXIT } from './exit.js'
import { accessDenied } from './access.js'
import { Failure, sentence, usage } from './failure.js'
import { hasSystemFiles, rows } from './files.js'
import { octal } from './format.js'
import { everythingKnown, type Item, labelOf, means } from './items.js'
import { closest } from '../../lib/closest.js'
import type { Target } from './target.js'
import { printable } from './text.js'
import { userName } from './users.js'

/** The object of an operation. */
export interface Subject {
  readonly type: 'semaphore' | 'limit' | 'memory' | 'channel'
  readonly target: Target
  readonly posix?: boolean
}

interface CodedError extends Error {
  readonly code?: string
  readonly hint?: string
  /** The owner of the object, when the owner is the reason. */
  readonly uid?: number
  /** The limit that was reached. */
  readonly limit?: number
}

/** Turns any error into a Failure; with a subject the message names the object. */
export function explain(error: unknown, ipc?: Library, subject?: Subject): Failure {
  if (error instanceof Failure) return error
  if (!(error instanceof Error)) return new Failure(String(error))
  const { code, hint } = error as CodedError
  const about = subject === undefined ? undefined : explainSubject(error, ipc, subject)
  if (about !== undefined) return about
  const cause = printable(error.message.replace(new RegExp(`^${code}: `), ''))
  switch (code) {
    case 'ERR_INVALID_ARG_VALUE':
    case 'ERR_INVALID_ARG_TYPE':
    case 'ERR_OUT_OF_RANGE':
      return usage(cause, hint)
    case 'ENOENT':
      return new Failure(cause, hint ?? 'os-ipc ls lists all objects', EXIT.absent)
    case 'EACCES':
    case 'EPERM':
      return new Failure(`no permission: ${cause}`, hint, EXIT.forbidden)
    case 'ERR_FOREIGN_OWNER':
      return new Failure(cause, hint, EXIT.forbidden)
    case 'ERR_NATIVE_BINDING':
      // The message already contains the cure.
      return new Failure(cause, sentence(accessDenied(error)?.cure, 'os-ipc doctor examines it'))
    case 'ERR_ACCESS_DENIED': {
      const { cause: denied, cure } = accessDenied(error) ?? { cause, cure: hint }
      return new Failure(denied, cure, EXIT.forbidden)
    }
    case undefined:
      return new Failure(
        `this is an error in os-ipc: ${cause}`,
        'NODE_DEBUG=os-ipc prints its stack; please report it',
      )
    default:
      // A hint explains more than the name of an errno.
      return new Failure(
        hint === undefined && /^E(?!RR_)/.test(code) ? `${cause.replace(/\.$/, '')} (${code})` : cause,
        hint,
      )
  }
}

/** Runs a function on a subject, and turns its errors into a Failure. The caller reports a timeout itself. */
export function about<T>(ipc: Library, subject: Subject, operate: () => T): T {
  const fail = (error: unknown): never => {
    throw (error as CodedError).code === 'ETIMEDOUT' ? error : explain(error, ipc, subject)
  }
  try {
    const result = operate()
    return result instanceof Promise ? (result.catch(fail) as T) : result
  } catch (error) {
    return fail(error)
  }
}

function explainSubject(error: CodedError, ipc: Library | undefined, subject: Subject): Failure | undefined {
  const { type, target } = subject
  const what = `${type === 'semaphore' && subject.posix ? 'POSIX ' : ''}${type}`
  switch (error.code) {
    case 'ENOENT':
      // Where the platform lacks this kind of object, the library says so.
      return hasNoFolder(subject)
        ? new Failure(`the ${what} ${target.label} cannot be there`, error.hint)
        : absent(ipc, subject)
    case 'EEXIST':
      return new Failure(
        `there is ${type === 'memory' ? 'memory' : `a ${type}`} ${target.label} already`,
        `--if-absent uses it unchanged; os-ipc rm ${target.label} removes it`,
      )
    case 'ERR_WRONG_KIND':
      return wrongKind(subject)
    case 'EACCES':
    case 'EPERM': {
      const owner = ownerOf(subject)
      const cannot = `no permission for the ${what} ${target.label}`
      // The library found another reason: a filter, or a folder without permission.
      if (error.hint !== undefined && (owner === undefined || error.uid !== owner.uid)) {
        return new Failure(cannot, error.hint, EXIT.forbidden)
      }
      const whose =
        owner === undefined
          ? ''
          : `: it belongs to ${userName(owner.uid)}, and its mode is ${octal(owner.mode)}`
      const cure =
        error.code === 'EPERM'
          ? 'only its owner and root may remove it'
          : 'run this as its owner or as root, or create it with --mode 660 and a common group'
      return new Failure(`${cannot}${whose}`, cure, EXIT.forbidden)
    }
    case 'ERR_FOREIGN_OWNER': {
      const { uid } = error
      return new Failure(
        `the ${what} ${target.label} belongs to another user${uid === undefined ? '' : `, ${userName(uid)} (uid ${uid})`}`,
        `if you trust that user: --owner ${uid ?? 'UID'}`,
        EXIT.forbidden,
      )
    }
    case 'ERR_SIZE':
      return new Failure(printable(error.message), `os-ipc rm ${target.label} removes it`)
    case 'ERR_NOT_INITIALISED':
      return new Failure(
        `the ${what} ${target.label} is incomplete: its creator died or hangs`,
        `os-ipc rm ${target.label} removes it`,
      )
    case 'ERR_ENDED':
      return new Failure(`the channel ${target.label} has ended`, 'nothing can be sent any more', EXIT.no)
    case 'EIDRM':
      return new Failure(`the ${what} ${target.label} was removed`, error.hint)
    case 'ERANGE':
    case 'EOVERFLOW':
      return type === 'semaphore'
        ? new Failure(
            `the counter of ${target.label} would pass its limit, ${error.limit ?? 32_767}`,
            'nothing was added',
          )
        : undefined
    default:
      return undefined
  }
}

/** The failure for a name of the other kind: a limit for a semaphore, or a semaphore for a limit. */
function wrongKind({ type, target: { label } }: Subject): Failure {
  return type === 'semaphore'
    ? new Failure(
        `${label} is a limit, and not a semaphore`,
        `os-ipc limit ${label} shows its permits, os-ipc run ${label} -- COMMAND takes one`,
      )
    : new Failure(
        `${label} is a semaphore, and not a limit`,
        `os-ipc value ${label} shows its units; a limit of this name can be made after os-ipc rm ${label}`,
      )
}

/** The failure for a missing name, with the objects that may be meant. */
export function absent(ipc: Library | undefined, { type, target, posix }: Subject | NoType): Failure {
  const items = ipc === undefined ? [] : everythingKnown(ipc)
  const what = type === undefined ? 'nothing called' : `no ${posix ? 'POSIX ' : ''}${type}`
  return new Failure(
    `there is ${what} ${target.label}`,
    otherKind(items, type, target, posix) ?? similar(items, type, target) ?? nothingLike(type, target),
    EXIT.absent,
  )
}

function nothingLike(type: Item['type'] | undefined, { label }: Target): string {
  const all = 'os-ipc ls lists all objects'
  if (type !== 'limit' && type !== 'channel') return all
  // An object ends there with its last user, so a command cannot make one for others.
  if (process.platform === 'win32') return `it exists as long as a program has it open; ${all}`
  return type === 'limit' ? `os-ipc create ${label} --permits N makes it` : '--create makes it'
}

interface NoType {
  readonly type: undefined
  readonly target: Target
  readonly posix?: boolean
}

function otherKind(
  items: readonly Item[],
  type: Item['type'] | undefined,
  target: Target,
  posix = false,
): string | undefined {
  const there = items.filter(item => means(target, item))
  const semaphore = there.find(item => item.type === 'semaphore')
  if (type === 'semaphore' && semaphore !== undefined) {
    return posix
      ? 'System V has a semaphore of this name: leave --posix out'
      : 'a POSIX semaphore has this name: --posix'
  }
  const names = (wanted: Item['type']) => there.some(item => item.type === wanted)
  if (type !== undefined && names('lock')) return `a lock has this name: os-ipc show ${target.label}`
  if (type === 'semaphore' && names('memory')) return `memory has this name: os-ipc read ${target.label}`
  if (type !== undefined && type !== 'channel' && names('channel'))
    return `a channel has this name: os-ipc show ${target.label}`
  if (type === 'memory' && semaphore !== undefined)
    return `a semaphore has this name: os-ipc value ${target.label}`
  if (type !== undefined && type !== 'limit' && names('limit'))
    return `a limit has this name: os-ipc limit ${target.label}`
  return undefined
}

function similar(items: readonly Item[], type: Item['type'] | undefined, target: Target): string | undefined {
  if (target.type !== 'name') return undefined
  const names = items.filter(item => type === undefined || item.type === type).map(labelOf)
  const meant = closest(target.name, names)
  return meant === undefined ? undefined : `did you mean ${meant}?`
}

/** Whether the system has no folder for POSIX objects, as on AWS Lambda. */
function hasNoFolder({ type, target, posix }: Subject): boolean {
  return (
    process.platform === 'linux' &&
    target.type === 'name' &&
    (posix || type === 'memory' || type === 'channel') &&
    !existsSync('/dev/shm')
  )
}

/** The owner of an object, even of one that this user may not open: every user may read /proc/sysvipc and the folder. */
function ownerOf({ type, target, posix }: Subject): { uid: number; mode: number } | undefined {
  // The library's error tells it.
  if (type === 'channel' || !hasSystemFiles) return undefined
  try {
    if (target.type === 'name' && (posix || type === 'memory')) {
      const { uid, mode } = statSync(`/dev/shm/${posix ? 'sem.' : ''}${target.name.slice(1)}`)
      return { uid, mode: mode & 0o777 }
    }
    const table = rows(`/proc/sysvipc/${type === 'memory' ? 'shm' : 'sem'}`)
    const row = table?.find(({ key, shmid }) =>
      target.type === 'id' ? Number(shmid) === target.id : Number(key) === target.key,
    )
    if (row !== undefined) return { uid: Number(row.uid), mode: Number.parseInt(row.perms ?? '', 8) & 0o777 }
  } catch {
    // Not Linux, or gone meanwhile.
  }
  return undefined
}
