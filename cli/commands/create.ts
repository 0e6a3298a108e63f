import type { Codec, Owner } from '../../index.js'
import { command, type Library } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { about } from '../core/explain.js'
import { usage } from '../core/failure.js'
import { channelItem, type Item, itemJson, limitItem, memoryItem, semaphoreItem } from '../core/items.js'
import { checkKept } from '../core/kept.js'
import { tellDifference } from '../core/permits.js'
import { backendOf, channelSubject, limitSubject, memorySubject, semaphoreSubject } from '../core/open.js'
import { printJson } from '../core/output.js'
import { libraryId } from '../core/target.js'
import { bytes, integer, JSON_OUTPUT, MODE, OWNER, POSIX } from '../core/values.js'

const CODECS = ['structured', 'json', 'bytes'] as const

export default command({
  name: 'create',
  operands: [{ name: 'NAME', help: 'a name, or a System V key' }],
  options: {
    initial: {
      short: 'n',
      value: 'N',
      help: 'Create a semaphore with N units: 0 to 32767, with --posix 0 to 2147483647.',
      read: integer(0, 0x7fff_ffff),
    },
    permits: {
      short: 'p',
      value: 'N',
      help: 'Create a limit with N permits, 0 to 32767.',
      read: integer(0, 32_767),
    },
    size: {
      short: 's',
      value: 'BYTES',
      help: 'Create memory of this size in bytes (also 4k, 16M), filled with zeros.',
      read: bytes,
    },
    capacity: {
      short: 'c',
      value: 'BYTES',
      help: 'Create a channel with room for so many bytes of messages, rounded up to a power of two.',
      read: bytes,
    },
    codec: {
      value: 'CODEC',
      help: 'How the channel of --capacity encodes values: structured (when missing), json or bytes.',
      complete: CODECS,
      read: codecOf,
    },
    'if-absent': {
      help: 'Do nothing if the object exists. An existing limit keeps its number of permits, an existing channel its capacity and codec. Existing memory that is too small is an error.',
    },
    mode: MODE,
    owner: OWNER,
    posix: POSIX,
    json: JSON_OUTPUT,
  },
  description: [
    'Creates a semaphore (--initial), a limit (--permits), shared memory (--size) or a channel (--capacity). It stays until a program removes it or the host restarts.',
    'On Windows an object ends with the last process that has it open, so create fails there unless --if-absent finds an object.',
    'Memory with a name is POSIX memory; memory with a key is a System V segment.',
  ],
  examples: [
    ['os-ipc create jobs --initial 4', 'a semaphore with four units'],
    ['os-ipc create uploads --permits 2', 'a limit: at most two at a time'],
    ['os-ipc create frames --size 16M --mode 660', 'memory that a group shares'],
    ['os-ipc create tasks --capacity 1M --codec json', 'a channel for messages of JSON'],
    ['os-ipc create jobs -n 4 --if-absent', 'for a script that runs more than once'],
  ],
  exits: COMMON_EXITS,
  run({ ipc, options, operands: [name = ''] }) {
    const { initial, permits, size, capacity, mode, json, posix } = options
    const ifAbsent = options['if-absent']
    const owner = ifAbsent ? options.owner : undefined
    if ([initial, permits, size, capacity].filter(given => given !== undefined).length !== 1) {
      throw usage(
        'create needs one of --initial N for a semaphore, --permits N for a limit, --size BYTES for memory and --capacity BYTES for a channel',
      )
    }
    if (options.codec !== undefined && capacity === undefined)
      throw usage('--codec is for channels only', '--capacity BYTES creates a channel')
    if (posix && permits !== undefined)
      throw usage('--posix is for semaphores only', 'a limit has no POSIX form')
    if (posix && size !== undefined)
      throw usage('--posix is for semaphores only', 'memory with a name is always POSIX')
    if (posix && capacity !== undefined) throw usage('--posix is for semaphores only')
    if (initial !== undefined) {
      const subject = semaphoreSubject(name, options)
      const id = libraryId(subject.target)
      const semaphore = about(ipc, subject, () =>
        ifAbsent
          ? ipc.Semaphore.openOrCreate(id, { initial, mode, owner, backend: backendOf(subject) })
          : ipc.Semaphore.create(id, { initial, mode, backend: backendOf(subject) }),
      )
      checkKept(ipc, semaphore, subject)
      if (json) printJson({ ...itemJson(semaphoreItem(semaphore.info())), created: semaphore.created })
      semaphore.close()
    } else if (permits !== undefined) {
      const subject = limitSubject(name)
      const id = libraryId(subject.target)
      const limit = about(ipc, subject, () =>
        ifAbsent
          ? ipc.Limit.openOrCreate(id, { permits, mode, owner })
          : ipc.Limit.create(id, { permits, mode }),
      )
      checkKept(ipc, limit, subject)
      tellDifference(limit, permits, subject)
      if (json) printJson({ ...itemJson(limitItem(limit.info())), created: limit.created })
      limit.close()
    } else if (size !== undefined) {
      const subject = memorySubject(name)
      const id = libraryId(subject.target)
      const memory = about(ipc, subject, () =>
        ifAbsent
          ? ipc.SharedMemory.openOrCreate(id, { size, mode, owner })
          : ipc.SharedMemory.create(id, { size, mode }),
      )
      checkKept(ipc, memory, subject)
      if (json) printJson({ ...itemJson(memoryItem(memory.info())), created: memory.created })
      memory.close()
    } else if (capacity !== undefined) {
      createChannel(ipc, name, { ...options, capacity, owner })
    }
    return undefined
  },
})

interface ChannelChoice {
  readonly capacity: number
  readonly codec: Codec | undefined
  readonly mode: number | undefined
  readonly owner: Owner | undefined
  readonly 'if-absent': boolean
  readonly json: boolean
}

function createChannel(ipc: Library, name: string, { owner, json, ...options }: ChannelChoice): void {
  const { capacity, codec, mode } = options
  const subject = channelSubject(name)
  const id = `${libraryId(subject.target)}`
  const channel = about(ipc, subject, () =>
    options['if-absent']
      ? ipc.Channel.openOrCreate(id, { capacity, codec, mode, owner })
      : ipc.Channel.create(id, { capacity, codec, mode }),
  )
  try {
    checkKept(ipc, channel, subject)
    const item = json ? channelNamed(ipc, channel.name) : undefined
    if (item !== undefined) printJson({ ...itemJson(item), created: channel.created })
  } finally {
    channel.close()
  }
}

/** A channel as the list has it: its owner and its times are those of its memory. */
function channelNamed(ipc: Library, name: string): Item | undefined {
  const found = ipc.list().channels.find(channel => channel.name === name)
  return found && channelItem(found)
}

function codecOf(text: string, option: string): Codec {
  const found = CODECS.find(codec => codec === text)
  if (found !== undefined) return found
  throw usage(`${option} needs ${CODECS.slice(0, -1).join(', ')} or ${CODECS.at(-1)}, not '${text}'`)
}
