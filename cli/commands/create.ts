import { command } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { about } from '../core/explain.js'
import { usage } from '../core/failure.js'
import { memoryItem, semaphoreItem } from '../core/items.js'
import { backendOf, memorySubject, semaphoreSubject } from '../core/open.js'
import { printJson } from '../core/output.js'
import { libraryId } from '../core/target.js'
import { bytes, integer, JSON_OUTPUT, MODE, OWNER, POSIX } from '../core/values.js'

export default command({
  name: 'create',
  operands: [{ name: 'NAME', help: 'a name, or a System V key' }],
  options: {
    initial: {
      short: 'n',
      value: 'N',
      help: "Make a semaphore: its counter's first value, 0 to 32767, with --posix to 2147483647.",
      read: integer(0, 0x7fff_ffff),
    },
    size: {
      short: 's',
      value: 'BYTES',
      help: 'Make memory of so many bytes (also 4k, 16M), filled with zeros.',
      read: bytes,
    },
    'if-absent': { help: 'Do nothing when there is one already; memory that is too small is an error.' },
    mode: MODE,
    owner: OWNER,
    posix: POSIX,
    json: JSON_OUTPUT,
  },
  description: [
    'Makes a semaphore (--initial) or shared memory (--size). It stays until it is removed, or until the host starts anew.',
    'Memory of a name is POSIX, memory of a key System V.',
  ],
  examples: [
    ['os-ipc create jobs --initial 4', 'a semaphore with four units'],
    ['os-ipc create frames --size 16M --mode 660', 'memory that a group shares'],
    ['os-ipc create jobs -n 4 --if-absent', 'for a script that runs more than once'],
  ],
  exits: COMMON_EXITS,
  run({ ipc, options, operands: [name = ''] }) {
    const { initial, size, mode, json } = options
    const ifAbsent = options['if-absent']
    const owner = ifAbsent ? options.owner : undefined
    if ((initial === undefined) === (size === undefined)) {
      throw usage('create wants either --initial N, for a semaphore, or --size BYTES, for memory')
    }
    if (initial !== undefined) {
      const subject = semaphoreSubject(name, options)
      const id = libraryId(subject.target)
      const semaphore = about(ipc, subject, () =>
        ifAbsent
          ? ipc.Semaphore.openOrCreate(id, { initial, mode, owner, backend: backendOf(subject) })
          : ipc.Semaphore.create(id, { initial, mode, backend: backendOf(subject) }),
      )
      if (json) printJson({ ...semaphoreItem(semaphore.info()), created: semaphore.created })
      semaphore.close()
    } else if (size !== undefined) {
      if (options.posix) throw usage('--posix is about semaphores', 'memory of a name is POSIX by itself')
      const subject = memorySubject(name)
      const id = libraryId(subject.target)
      const memory = about(ipc, subject, () =>
        ifAbsent
          ? ipc.SharedMemory.openOrCreate(id, { size, mode, owner })
          : ipc.SharedMemory.create(id, { size, mode }),
      )
      if (json) printJson({ ...memoryItem(memory.info()), created: memory.created })
      memory.close()
    }
    return undefined
  },
})
