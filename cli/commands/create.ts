import { command } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { about } from '../core/explain.js'
import { usage } from '../core/failure.js'
import { itemJson, limitItem, memoryItem, semaphoreItem } from '../core/items.js'
import { checkKept } from '../core/kept.js'
import { tellDifference } from '../core/permits.js'
import { backendOf, limitSubject, memorySubject, semaphoreSubject } from '../core/open.js'
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
    'if-absent': {
      help: 'Do nothing if the object exists. An existing limit keeps its number of permits. Existing memory that is too small is an error.',
    },
    mode: MODE,
    owner: OWNER,
    posix: POSIX,
    json: JSON_OUTPUT,
  },
  description: [
    'Creates a semaphore (--initial), a limit (--permits) or shared memory (--size). It stays until a program removes it or the host restarts.',
    'On Windows an object ends with the last process that has it open, so create fails there unless --if-absent finds an object.',
    'Memory with a name is POSIX memory; memory with a key is a System V segment.',
  ],
  examples: [
    ['os-ipc create jobs --initial 4', 'a semaphore with four units'],
    ['os-ipc create uploads --permits 2', 'a limit: at most two at a time'],
    ['os-ipc create frames --size 16M --mode 660', 'memory that a group shares'],
    ['os-ipc create jobs -n 4 --if-absent', 'for a script that runs more than once'],
  ],
  exits: COMMON_EXITS,
  run({ ipc, options, operands: [name = ''] }) {
    const { initial, permits, size, mode, json, posix } = options
    const ifAbsent = options['if-absent']
    const owner = ifAbsent ? options.owner : undefined
    if ([initial, permits, size].filter(given => given !== undefined).length !== 1) {
      throw usage(
        'create needs one of --initial N for a semaphore, --permits N for a limit and --size BYTES for memory',
      )
    }
    if (posix && permits !== undefined)
      throw usage('--posix is for semaphores only', 'a limit has no POSIX form')
    if (posix && size !== undefined)
      throw usage('--posix is for semaphores only', 'memory with a name is always POSIX')
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
    }
    return undefined
  },
})
