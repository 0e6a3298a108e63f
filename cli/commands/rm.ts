import { ask, canAsk } from '../core/ask.js'
import { command, type Library } from '../core/command.js'
import { COMMON_EXITS, EXIT } from '../core/exit.js'
import { about, absent, explain } from '../core/explain.js'
import { hiddenLock } from '../core/hidden-lock.js'
import { Failure, usage } from '../core/failure.js'
import { find } from '../core/find.js'
import { everythingKnown, type Item, labelOf, means } from '../core/items.js'
import { note } from '../core/output.js'
import { libraryId, type Target, target } from '../core/target.js'
import { inUse } from '../core/use.js'

/** The kind of object that is meant, of those that can have one name. */
type Kind = 'a semaphore' | 'a POSIX semaphore' | 'a limit' | 'a lock' | 'a channel' | 'memory'

const KINDS: readonly Kind[] = [
  'a semaphore',
  'a POSIX semaphore',
  'a limit',
  'a lock',
  'a channel',
  'memory',
]

export default command({
  name: 'rm',
  operands: [{ name: 'NAME', help: 'an object to remove', many: true, complete: 'object' }],
  options: {
    force: { short: 'f', help: 'Do not ask if the object is in use, and do not fail if it does not exist.' },
    semaphore: { short: 's', help: 'The System V semaphore of this name.' },
    posix: { help: 'The POSIX semaphore of this name.' },
    limit: { help: 'The limit of this name.' },
    memory: { short: 'm', help: 'The memory of this name.' },
    channel: { short: 'c', help: 'The channel of this name, with the messages in it.' },
    lock: {
      short: 'l',
      help: 'The lock of this name that a killed process left behind. The last user removes other locks.',
    },
  },
  description: [
    'Removes semaphores, limits, channels, shared memory, and locks that a killed process left behind. If an object is in use, rm asks on a terminal, and needs --force elsewhere. ' +
      'When it is removed, the waiters of a System V semaphore or a limit get an error; the processes that map memory keep it.',
    'An object is in use if a process waits for it, holds the lock or a permit, or has the memory attached or mapped, if a channel has messages, or if a process sends to it or receives from it, or if the last process that used the semaphore is alive. ' +
      'NAME can be id:N, the id of a System V segment that has no key.',
  ],
  examples: [
    ['os-ipc create jobs -n 4 && os-ipc rm jobs', 'ask if it is in use'],
    ['os-ipc rm --force jobs frames', 'in a script'],
    ["os-ipc ls -q 'old-*' | xargs -r os-ipc rm --force", 'all whose names begin with old-'],
  ],
  exits: [...COMMON_EXITS, ['1', 'the object is in use and was not removed']],
  async run({ ipc, options, operands }) {
    const chosen = kindOf(options)
    let exit: number = EXIT.ok
    for (const name of operands) {
      try {
        await remove(ipc, target(name), chosen, options.force)
      } catch (error) {
        const failure = explain(error, ipc)
        // The other objects are still removed.
        note(failure.line)
        exit = Math.max(exit, failure.exit)
      }
    }
    return exit
  },
})

function kindOf(options: {
  semaphore: boolean
  posix: boolean
  limit: boolean
  memory: boolean
  channel: boolean
  lock: boolean
}): Kind | undefined {
  const kinds: Kind[] = []
  if (options.semaphore) kinds.push('a semaphore')
  if (options.posix) kinds.push('a POSIX semaphore')
  if (options.limit) kinds.push('a limit')
  if (options.memory) kinds.push('memory')
  if (options.channel) kinds.push('a channel')
  if (options.lock) kinds.push('a lock')
  if (kinds.length > 1)
    throw usage('rm takes only one of --semaphore, --posix, --limit, --memory, --channel and --lock')
  return kinds[0]
}

async function remove(ipc: Library, meant: Target, chosen: Kind | undefined, force: boolean): Promise<void> {
  const found = find(ipc, meant).items.filter(
    item => !item.removed && (chosen === undefined || chosen === kindOfItem(item)),
  )
  const kinds = KINDS.filter(kind => found.some(item => kindOfItem(item) === kind))
  if (kinds.length > 1) {
    throw usage(
      `${kinds.join(' and ')} are called ${meant.label}`,
      'say which: --semaphore, --posix, --limit, --memory, --channel or --lock',
    )
  }
  const [item] = found
  if (item?.type === 'lock' && item.key == null) throw lockOfFiles(item)
  const label = item?.type === 'lock' ? labelOf(item) : meant.label
  const reason = item === undefined || force ? undefined : inUse(item)
  if (reason !== undefined) {
    if (!canAsk()) throw new Failure(`${label} is in use: ${reason}`, '--force removes it', EXIT.no)
    if (!(await ask(`os-ipc: ${label} is in use: ${reason}. Remove it?`))) {
      throw new Failure(`${label} was not removed`, undefined, EXIT.no)
    }
  }
  // Objects that this user may not read are not on the list; only an attempt finds them.
  const tried = kinds.length > 0 ? kinds : possible(ipc, meant, chosen)
  const removed = tried.map(kind =>
    kind === 'a lock' ? removeLock(ipc, item) : removeKind(ipc, meant, kind, chosen),
  )
  if (removed.includes(true)) return
  const lock = chosen === undefined || chosen === 'a lock' ? hiddenLock(meant) : undefined
  if (lock !== undefined) throw lock
  if (!force) throw absent(ipc, { type: undefined, target: meant })
}

/** A lock that is listed is in use, and no file of it can be taken from its users. */
function lockOfFiles(lock: Item): Failure {
  const reason = inUse(lock)
  return new Failure(
    `${labelOf(lock)} is ${reason === undefined ? 'in use' : `in use: ${reason}`}`,
    'a lock that is made of files cannot be removed: it is free when its processes release it or end',
    EXIT.no,
  )
}

function kindOfItem({ type, system }: Item): Kind {
  if (type === 'lock' || type === 'limit' || type === 'channel') return `a ${type}`
  return type === 'memory' ? 'memory' : system === 'posix' ? 'a POSIX semaphore' : 'a semaphore'
}

function possible(ipc: Library, meant: Target, chosen: Kind | undefined): Kind[] {
  if (chosen !== undefined) return [chosen]
  if (meant.type === 'id') return ['memory']
  const { semaphoreBackends } = ipc.capabilities
  return [
    ...(semaphoreBackends.some(backend => backend !== 'posix') ? (['a semaphore'] as const) : []),
    ...(meant.type === 'name' && semaphoreBackends.includes('posix') ? (['a POSIX semaphore'] as const) : []),
    ...(meant.type === 'name' ? (['a channel'] as const) : []),
    'memory',
  ]
}

function typeOf(kind: Kind): 'semaphore' | 'limit' | 'channel' | 'memory' {
  if (kind === 'memory') return 'memory'
  return kind === 'a limit' ? 'limit' : kind === 'a channel' ? 'channel' : 'semaphore'
}

/** Removes an object, and returns whether it existed. */
function removeKind(ipc: Library, meant: Target, kind: Kind, chosen: Kind | undefined): boolean {
  const type = typeOf(kind)
  const posix = kind === 'a POSIX semaphore'
  const backend = posix ? 'posix' : process.platform === 'win32' ? 'windows' : 'sysv'
  return about(ipc, { type, target: meant, posix }, () => {
    if (meant.type === 'id') return removeSegment(ipc, meant.id)
    const id = libraryId(meant)
    if (type === 'channel') return ipc.Channel.unlink(`${id}`)
    if (type === 'memory') return ipc.SharedMemory.unlink(id)
    if (type === 'limit') return ipc.Limit.unlink(id)
    try {
      return ipc.Semaphore.unlink(id, { backend })
    } catch (error) {
      // The object was not on the list, so its kind was unknown.
      if (chosen !== undefined || (error as { code?: string }).code !== 'ERR_WRONG_KIND') throw error
      return ipc.Limit.unlink(id)
    }
  })
}

/** A lock is a set, and is removed by its raw key. Its waiters and holders continue. */
function removeLock(ipc: Library, lock: Item | undefined): boolean {
  if (lock?.key == null) return false
  const target: Target = { type: 'key', key: lock.key, label: labelOf(lock) }
  return about(ipc, { type: 'semaphore', target }, () => ipc.Semaphore.unlink(lock.key as number))
}

function removeSegment(ipc: Library, id: number): boolean {
  if (!everythingKnown(ipc).some(item => means({ type: 'id', id, label: '' }, item))) return false
  const segment = ipc.SharedMemory.attach(id, { readOnly: true, owner: 'any' })
  segment.unlink()
  segment.close()
  return true
}
