import { command } from '../core/command.js'
import { RUNNER_EXITS } from '../core/exit.js'
import { usage } from '../core/failure.js'
import { duration, integer, MODE, OWNER, TIMEOUT } from '../core/values.js'
import { target } from '../core/target.js'
import { runHolding } from '../run/holding.js'
import { openPermits } from '../run/permits.js'

export default command({
  name: 'run',
  operands: [{ name: 'NAME', help: 'a limit, created if it does not exist', complete: 'limit' }],
  runs: true,
  options: {
    permits: {
      short: 'n',
      value: 'PERMITS',
      help: 'The number of commands that may run at a time. It applies only when run creates the limit; later runs keep the number and warn if they asked for another one. Default: the number of the existing limit, or 1.',
      read: integer(1, 0x7fff_ffff),
    },
    timeout: TIMEOUT,
    'wait-code': {
      value: 'N',
      help: 'The exit code when --timeout expires; default 124.',
      read: integer(0, 255),
    },
    mode: MODE,
    owner: OWNER,
    redis: {
      value: 'URL',
      help: 'Take the permit from this Redis, which many machines share; env:NAME reads the address from a variable. PERMITS then applies to each run; default 1.',
      read: text => text,
    },
    lease: {
      value: 'S',
      help: 'With --redis: an os-ipc that cannot reach Redis for S seconds loses its permit; default 10.',
      read: duration,
    },
    supervise: {
      help: 'Stay beside the command and pass signals on to it, instead of becoming the command.',
    },
    quiet: {
      short: 'q',
      help: 'Print no message when --timeout expires, when the limit has another number of permits, or when this kernel loses the permits of killed processes.',
    },
  },
  lacking: {
    posix: [
      'a POSIX semaphore has no permits, because its units have no owner',
      'leave --posix out, or use os-ipc wait --posix and os-ipc post --posix',
    ],
  },
  description: [
    'Runs a command while holding a permit of a limit: at most PERMITS such commands run at a time on this host. ' +
      'The permit goes back when the command ends.',
    "On Linux os-ipc becomes the command when it has the permit: the process stays the same, and no os-ipc process stays. Streams, signals, job control and exit code are the command's own. " +
      'The kernel gives the permit back when the process ends, kill -9 included. A child process that outlives the command has no permit.',
    'os-ipc stays beside the command as its supervisor with --supervise, with --redis, on macOS and Windows, and for a System V limit on a kernel that ignores undo (gVisor). ' +
      'Its exit code is then that of the command, or 128 plus the number of the signal that ended it. It passes on SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGINT, SIGQUIT, SIGWINCH, SIGTSTP and SIGCONT. ' +
      'In the foreground of a terminal it does not pass on SIGINT, SIGQUIT, SIGTSTP and SIGWINCH, because the terminal sends them to both processes. If the supervisor is killed, the command goes on without a permit; on Windows it ends too.',
    'On Windows the console sends Ctrl-C to os-ipc and to the command, and os-ipc waits for the end of the command. os-ipc finds programs and batch files as PowerShell does: in the folders of PATH, with the endings of PATHEXT. ' +
      'npx and npm are batch files, which cmd.exe runs; os-ipc passes their arguments on unchanged. The limit ends with the last process that has it open.',
    'If a command leaves the IPC namespace in its own process (unshare --ipc, nsenter --ipc), the kernel gives the permit back at that moment. Use --supervise for such a command.',
    'A signal ends an os-ipc that waits. A signal that is ignored when os-ipc starts, as with nohup, stays ignored for os-ipc and for the command.',
    'With --redis the permit is one of os-ipc/redis, for all machines that use that Redis. It is a lease that os-ipc refreshes. If the lease is lost, os-ipc sends SIGTERM to the command. ' +
      '--redis needs the packages redis-semaphore and ioredis beside os-ipc.',
    'The limit stays after the last command; os-ipc rm removes it. os-ipc limit NAME shows the holders of its permits, and os-ipc limit NAME N changes their number.',
  ],
  examples: [
    ['os-ipc run convert -n 4 -- echo at most four', 'at most four at a time'],
    [
      'find . -name "*.mov" | xargs -rP 8 -I{} os-ipc run convert -n 4 -- ./convert {}',
      'eight start, four run',
    ],
    [
      'os-ipc run backup --timeout 0 --wait-code 0 -- ./backup',
      'for cron: skip this run if the last one still runs',
    ],
    ['os-ipc run import -n 2 --redis env:REDIS_URL -- ./import', 'at most two over all machines'],
    ['os-ipc run jobs --supervise -- unshare --ipc ./work', 'a command that leaves the IPC namespace'],
  ],
  exits: RUNNER_EXITS,
  run({ ipc, options, operands: [name = ''], command }) {
    const { permits, mode, owner, quiet, timeout, redis, lease, supervise } = options
    if (redis === undefined && lease !== undefined) throw usage('--lease needs --redis')
    if (redis !== undefined && (mode !== undefined || owner !== undefined)) {
      throw usage('--mode and --owner cannot be used with --redis')
    }
    return runHolding(
      () => openPermits(ipc, name, { permits, mode, owner, quiet, redis, lease }),
      `a permit of ${target(name).label}`,
      { timeout, waitCode: options['wait-code'], quiet, supervise },
      command,
    )
  },
})
