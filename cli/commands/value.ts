import { command } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { about } from '../core/explain.js'
import { everythingKnown, itemJson, means, semaphoreItem } from '../core/items.js'
import { openSemaphore, semaphoreSubject } from '../core/open.js'
import { print, printJson } from '../core/output.js'
import { JSON_OUTPUT, POSIX } from '../core/values.js'

export default command({
  name: 'value',
  operands: [{ name: 'NAME', help: 'a semaphore', complete: 'semaphore' }],
  options: { posix: POSIX, json: JSON_OUTPUT },
  description: [
    'Prints the number of free units of a semaphore. It reads the semaphores of all users that this user may read.',
  ],
  examples: [['os-ipc create jobs -n 4 && os-ipc value jobs', 'prints 4']],
  exits: COMMON_EXITS,
  run({ ipc, options, operands: [name = ''] }) {
    const subject = semaphoreSubject(name, options)
    const { target, posix } = subject
    const listed = everythingKnown(ipc).find(
      item => item.type === 'semaphore' && (item.system === 'posix') === posix && means(target, item),
    )
    // A semaphore that this user may read but not change is on the list, and cannot be opened.
    const item = listed ?? opened()
    if (options.json) printJson(itemJson(item))
    else print(`${item.value}`)
    return undefined

    function opened() {
      const semaphore = openSemaphore(ipc, subject, { owner: 'any' })
      try {
        return about(ipc, subject, () => ({ ...semaphoreItem(semaphore.info()), value: semaphore.value }))
      } finally {
        semaphore.close()
      }
    }
  },
})
