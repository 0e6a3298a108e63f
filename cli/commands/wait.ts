import { command } from '../core/command.js'
import { COMMON_EXITS, EXIT } from '../core/exit.js'
import { about } from '../core/explain.js'
import { Failure } from '../core/failure.js'
import { openSemaphore, semaphoreSubject } from '../core/open.js'
import { OWNER, POSIX, TIMEOUT } from '../core/values.js'

export default command({
  name: 'wait',
  operands: [{ name: 'NAME', help: 'a semaphore', complete: 'semaphore' }],
  options: { timeout: TIMEOUT, owner: OWNER, posix: POSIX },
  description: [
    'Takes a unit of a semaphore, and waits until one is free.',
    'The unit has no owner, so it does not come back when a process dies. Use wait for "something is ready". To limit how many commands run at a time, use os-ipc run.',
  ],
  examples: [
    ['os-ipc create ready -n 1 && os-ipc wait ready', 'take a unit that is there'],
    ['os-ipc wait ready && echo ready', 'wait until a process posts'],
    ['os-ipc wait ready --timeout 10', 'wait for 10 s at most'],
  ],
  exits: [...COMMON_EXITS, [`${EXIT.timeout}`, 'no unit came within --timeout']],
  async run({ ipc, options, operands: [name = ''] }) {
    const subject = semaphoreSubject(name, options)
    const semaphore = openSemaphore(ipc, subject, options)
    try {
      await about(ipc, subject, () => semaphore.wait({ timeout: options.timeout }))
    } catch (error) {
      if ((error as { code?: string }).code !== 'ETIMEDOUT') throw error
      throw new Failure(
        `no unit of ${subject.target.label} came within ${(options.timeout ?? 0) / 1000} s`,
        undefined,
        EXIT.timeout,
      )
    }
    semaphore.close()
    return undefined
  },
})
