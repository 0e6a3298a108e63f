import { command } from '../core/command.js'
import { COMMON_EXITS, EXIT } from '../core/exit.js'
import { about } from '../core/explain.js'
import { openSemaphore, semaphoreSubject } from '../core/open.js'
import { OWNER, POSIX } from '../core/values.js'

export default command({
  name: 'try',
  operands: [{ name: 'NAME', help: 'a semaphore', complete: 'semaphore' }],
  options: { owner: OWNER, posix: POSIX },
  description: [
    'Takes a unit of a semaphore if one is free now. The exit code is 0 if it took one, and 1 if not.',
    'The unit has no owner, as with os-ipc wait.',
  ],
  examples: [
    ['os-ipc create slots -n 2 && os-ipc try slots && echo taken', 'a unit is free'],
    ['if os-ipc try slots; then ./work; os-ipc post slots; fi', 'only if a unit is free'],
  ],
  exits: [...COMMON_EXITS, ['1', 'no unit was free; nothing is printed']],
  run({ ipc, options, operands: [name = ''] }) {
    const subject = semaphoreSubject(name, options)
    const semaphore = openSemaphore(ipc, subject, options)
    const taken = about(ipc, subject, () => semaphore.tryWait())
    semaphore.close()
    return taken ? EXIT.ok : EXIT.no
  },
})
