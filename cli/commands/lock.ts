import { command } from '../core/command.js'
import { RUNNER_EXITS } from '../core/exit.js'
import { printable } from '../core/text.js'
import { integer, POSTGRES, TIMEOUT } from '../core/values.js'
import { runHolding } from '../run/holding.js'
import { lockSource, tidyLocks } from '../run/lock-source.js'

export default command({
  name: 'lock',
  operands: [
    { name: 'NAME', help: 'the name of a lock, any text that does not begin with -', complete: 'lock' },
  ],
  runs: true,
  options: {
    shared: { short: 's', help: 'Hold it together with others who ask for it so; else alone.' },
    timeout: TIMEOUT,
    'wait-code': {
      value: 'N',
      help: 'The exit code when the time is over; 124 when missing.',
      read: integer(0, 255),
    },
    postgres: POSTGRES,
    supervise: {
      help: 'Stay beside the command, and pass signals on to it, where os-ipc could become the command.',
    },
    quiet: { short: 'q', help: 'Say nothing when the time is over.' },
  },
  description: [
    'Runs a command while holding a lock: alone, or with --shared together with all others that hold it shared. It is the lock that programs have with locks.request() of this package. ' +
      'A writer gets in among readers that come and go.',
    'On Linux os-ipc becomes the command once it has the lock, as with run. The lock is free again when the process ends, however it ends. ' +
      'A command that asks for the same lock again waits for itself, as any other process would.',
    'The kernel keeps the semaphore set of the lock after the command has ended. The next os-ipc lock removes it.',
    'With --postgres the lock is one of os-ipc/postgres, for all machines that use that database. os-ipc stays beside the command, and sends it SIGTERM when the session is lost. ' +
      'It needs the package pg beside os-ipc.',
  ],
  examples: [
    ['os-ipc lock deploy -- ./deploy', 'one at a time on this host'],
    ['os-ipc lock cache --shared -- ./read-cache', 'many readers'],
    ['os-ipc lock deploy --postgres env:DATABASE_URL -- ./deploy', 'one at a time over all machines'],
    ['os-ipc lock nightly --timeout 0 --wait-code 0 -q -- ./nightly', 'skip it when it runs already'],
  ],
  exits: RUNNER_EXITS,
  run({ ipc, options, operands: [name = ''], command }) {
    const { shared, timeout, quiet, postgres, supervise } = options
    const mode = shared ? 'shared' : 'exclusive'
    return runHolding(
      async () => {
        if (postgres === undefined) {
          await tidyLocks()
          return lockSource(ipc, name, mode)
        }
        const { postgresLockSource } = await import('../run/postgres.js')
        return postgresLockSource(postgres, name, mode)
      },
      `the lock ${printable(name)}`,
      { timeout, waitCode: options['wait-code'], quiet, supervise },
      command,
    )
  },
})
