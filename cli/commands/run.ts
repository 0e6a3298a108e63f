import { command } from '../core/command.js'
import { RUNNER_EXITS } from '../core/exit.js'
import { usage } from '../core/failure.js'
import { duration, integer, MODE, OWNER, TIMEOUT } from '../core/values.js'
import { target } from '../core/target.js'
import { runHolding } from '../run/holding.js'
import { openPermits } from '../run/permits.js'

export default command({
  name: 'run',
  operands: [{ name: 'NAME', help: 'a limit, made when there is none', complete: 'limit' }],
  runs: true,
  options: {
    permits: {
      short: 'n',
      value: 'PERMITS',
      help: 'The number of commands that may run at a time. An existing limit keeps its number, and run warns when that is another one. Without -n run uses an existing limit, or makes a limit of 1.',
      read: integer(1, 0x7fff_ffff),
    },
    timeout: TIMEOUT,
    'wait-code': {
      value: 'N',
      help: 'The exit code when the time is over; 124 when missing.',
      read: integer(0, 255),
    },
    mode: MODE,
    owner: OWNER,
    redis: {
      value: 'URL',
      help: 'Permits that many machines share through this Redis; env:NAME takes the address from a variable. PERMITS counts each time then, and is 1 when missing.',
      read: text => text,
    },
    lease: {
      value: 'S',
      help: 'With --redis: after so long the permit of an os-ipc that is not heard of belongs to others; 10 when missing.',
      read: duration,
    },
    supervise: {
      help: 'Stay beside the command, and pass signals on to it, where os-ipc could become the command.',
    },
    quiet: {
      short: 'q',
      help: 'Say nothing when the time is over, nor that the limit has another number of permits, nor that permits of a killed process are lost here.',
    },
  },
  lacking: {
    posix: [
      'a POSIX semaphore has no permits, since the kernel does not know who took a unit',
      'leave --posix out, or use os-ipc wait --posix and os-ipc post --posix',
    ],
  },
  description: [
    'Runs a command while holding a permit of a limit: at most PERMITS of them run at a time on this host, whichever process starts them. ' +
      'The permit is given back when the command ends.',
    "On Linux os-ipc becomes the command once it has the permit: the process stays the same, and nothing of os-ipc stays beside it. Streams, signals, job control and exit code are the command's own. " +
      'The kernel gives the permit back when the process ends, kill -9 included. A child that the command leaves behind has no permit.',
    'os-ipc stays beside the command as its supervisor with --supervise, with --redis, and where the kernel gives nothing back (macOS, gVisor). ' +
      'Then its exit code is that of the command, or 128 and the number of the signal that ended it. SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGINT, SIGQUIT, SIGWINCH, SIGTSTP and SIGCONT are passed on. ' +
      'In the foreground of a terminal SIGINT, SIGQUIT, SIGTSTP and SIGWINCH are not: the terminal sends them to both. When a supervisor is killed, the command lives on without a permit.',
    'A command that leaves the IPC namespace in its own process (unshare --ipc, nsenter --ipc) gives the permit back there: the kernel does so. Use --supervise for it.',
    'While it waits, a signal ends os-ipc. A signal that is ignored when os-ipc starts, as with nohup, stays ignored, for os-ipc and for the command.',
    'With --redis the permits are those of os-ipc/redis, for all machines that use that Redis: a lease that os-ipc refreshes. When it is lost, the command is told to end with SIGTERM. ' +
      'It needs the packages redis-semaphore and ioredis beside os-ipc.',
    'The limit stays after the last command: os-ipc rm removes it. os-ipc limit NAME shows the holders of its permits, and os-ipc limit NAME N changes their number.',
  ],
  examples: [
    ['os-ipc run convert -n 4 -- ffmpeg -i in.mov out.mp4', 'at most four at a time'],
    ['os-ipc run backup --timeout 0 --wait-code 0 -- ./backup', 'skip it when one runs already, for cron'],
    ['os-ipc run import -n 2 --redis env:REDIS_URL -- ./import', 'at most two over all machines'],
    ['os-ipc run jobs --supervise -- unshare --ipc ./work', 'a command that leaves the IPC namespace'],
  ],
  exits: RUNNER_EXITS,
  run({ ipc, options, operands: [name = ''], command }) {
    const { permits, mode, owner, quiet, timeout, redis, lease, supervise } = options
    if (redis === undefined && lease !== undefined) throw usage('--lease is for --redis')
    if (redis !== undefined && (mode !== undefined || owner !== undefined)) {
      throw usage('--mode and --owner are about this host, and do not go with --redis')
    }
    return runHolding(
      () => openPermits(ipc, name, { permits, mode, owner, quiet, redis, lease }),
      `a permit of ${target(name).label}`,
      { timeout, waitCode: options['wait-code'], quiet, supervise },
      command,
    )
  },
})
