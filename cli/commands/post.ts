import { command } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { about } from '../core/explain.js'
import { openSemaphore, semaphoreSubject } from '../core/open.js'
import { integer, OWNER, POSIX } from '../core/values.js'

export default command({
  name: 'post',
  operands: [{ name: 'NAME', help: 'a semaphore', complete: 'semaphore' }],
  options: {
    count: {
      short: 'n',
      value: 'N',
      help: 'The number of units to add, all or none; default 1.',
      read: integer(1, 0x7fff_ffff),
    },
    owner: OWNER,
    posix: POSIX,
  },
  description: [
    'Adds units to a semaphore; each unit wakes one waiter.',
    'The units have no owner; wait and try take them. The permits of a limit have an owner; run takes them.',
  ],
  examples: [
    ['os-ipc create ready -n 0 && os-ipc post ready', 'one unit'],
    ['os-ipc post ready -n 3', 'three'],
  ],
  exits: COMMON_EXITS,
  run({ ipc, options, operands: [name = ''] }) {
    const subject = semaphoreSubject(name, options)
    const semaphore = openSemaphore(ipc, subject, options)
    about(ipc, subject, () => semaphore.post(options.count))
    semaphore.close()
    return undefined
  },
})
