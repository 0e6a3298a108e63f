import { command } from '../core/command.js'
import { RUNNER_EXITS } from '../core/exit.js'
import { printable } from '../core/text.js'
import { integer, POSTGRES, TIMEOUT } from '../core/values.js'
import { runHolding } from '../run/holding.js'
import { lockSource, tidyLocks } from '../run/lock-source.js'

export default command({
  name: 'lock',
  operands: [
    { name: 'NAME', help: 'the name of a lock: any text that does not begin with -', complete: 'lock' },
  ],
  runs: true,
  options: {
    shared: { short: 's', help: 'Hold the lock together with other shared holders; without it, alone.' },
    timeout: TIMEOUT,
    'wait-code': {
      value: 'N',
      help: 'The exit code when --timeout expires; default 124.',
      read: integer(0, 255),
    },
    postgres: POSTGRES,
    supervise: {
      help: 'Stay beside the command and pass signals on to it, instead of becoming the command.',
    },
    quiet: { short: 'q', help: 'Print no message when --timeout expires.' },
  },
  description: [
    'Runs a command while holding a lock, alone or, with --shared, together with other shared holders. Programs get the same lock with locks.request() of this package. ' +
      'A writer gets the lock although new readers keep requesting it.',
    'On Linux os-ipc becomes the command when it has the lock, as with run; on macOS and Windows it stays beside the command. The lock is free when the process ends, however it ends. ' +
      'A command must not request its own lock again: it would wait for itself.',
    'The semaphore set of the lock stays in the kernel after the command has ended. The next os-ipc lock removes it.',
    'With --postgres the lock is one of os-ipc/postgres, for all machines that use that database. os-ipc stays beside the command, and sends it SIGTERM if the session is lost. ' +
      '--postgres needs the package pg beside os-ipc.',
  ],
  examples: [
    ['os-ipc lock deploy -- echo one at a time', 'one at a time on this host'],
    ['os-ipc lock cache --shared -- ./read-cache', 'many readers'],
    ['os-ipc lock deploy --postgres env:DATABASE_URL -- ./deploy', 'one at a time over all machines'],
    [
      'os-ipc lock nightly --timeout 0 --wait-code 0 -q -- ./nightly',
      'skip this run if the last one still runs',
    ],
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
