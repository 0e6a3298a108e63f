import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { all, linux, type Need, probe, root, tool } from './needs.ts'

/**
 * The surroundings of a child process: another user, small limits, a failing kernel. They are a {@link Need} as well, so that
 * `requires(asUser(65534))` skips where they are not available.
 */
export interface Surroundings extends Need {
  /** The command line that runs `argv` there; the program has the pid of the spawned process. */
  wrap(argv: readonly string[]): string[]
}

/** Limits of System V IPC; the names are those of `/proc/sys/kernel`. */
export interface IpcLimits {
  /** SEMMSL, SEMMNS, SEMOPM, SEMMNI: semaphores a set, in all, operations a call, sets. */
  sem?: readonly [semmsl: number, semmns: number, semopm: number, semmni: number]
  shmmni?: number
  shmmax?: number
  shmall?: number
}

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Another user (and the group of the same number), without any other group. */
export function asUser(uid: number): Surroundings {
  const prefix = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
  return surroundings(
    all(
      linux,
      root,
      tool('setpriv', 'util-linux'),
      probe(`needs a repository that uid ${uid} may read: ${repository}`, () =>
        runs([
          ...prefix,
          'sh',
          '-c',
          '[ -x "$1" ] && [ -r "$2" ]',
          'sh',
          process.execPath,
          `${repository}index.ts`,
        ]),
      ),
    ),
    prefix,
  )
}

/** A new, empty IPC namespace with these limits; its sets and segments vanish with its last process. */
export function privateIpc(limits: IpcLimits = {}): Surroundings {
  const writes = Object.entries(limits).map(
    ([name, value]) => `echo ${[value].flat().join(' ')} > /proc/sys/kernel/${name} && `,
  )
  return surroundings(ownNamespaces, ['unshare', '--ipc', '--', ...shell(writes.join(''))])
}

/** A new, empty `/dev/shm` of this size: `'64k'`, `'1m'`. */
export function withTmpfs(size: string): Surroundings {
  const mount = `mount -t tmpfs -o size=${size} tmpfs /dev/shm && `
  return surroundings(ownNamespaces, ['unshare', '--mount', '--', ...shell(mount)])
}

/** At most so many open files: the limit that Node cannot raise. */
export function withOpenFiles(most: number): Surroundings {
  return surroundings(linux, ['sh', '-c', `ulimit -n ${most} && exec "$@"`, 'sh'])
}

/** A `/dev/shm` that these shell commands make, in a new mount namespace. */
export function withShm(commands: string): Surroundings {
  return surroundings(ownNamespaces, ['unshare', '--mount', '--', ...shell(`${commands} && `)])
}

/** A new PID namespace, with its own `/proc`. */
export function otherPids(): Surroundings {
  return surroundings(ownNamespaces, ['unshare', '--pid', '--fork', '--mount-proc', '--'])
}

/** A `/proc` that has processes only, as with `ProcSubset=pid` of systemd, in a new PID namespace. */
export function withoutTables(): Surroundings {
  const mount = 'mount -t proc -o subset=pid proc /proc && '
  return surroundings(
    all(
      ownNamespaces,
      probe('needs a kernel with the option subset=pid of proc', () =>
        runs(['unshare', '--mount', '--pid', '--fork', ...shell(mount), 'true']),
      ),
    ),
    ['unshare', '--mount', '--pid', '--fork', '--', ...shell(mount)],
  )
}

/** The system calls of System V IPC. */
export const SYSTEM_V = ['semget', 'semop', 'semtimedop', 'semctl', 'shmget', 'shmat', 'shmctl'] as const

/** System calls that a seccomp filter refuses, as the filter of a container or a sandbox does. */
export function refusing(
  calls: readonly (typeof SYSTEM_V)[number][],
  errno: 'EPERM' | 'ENOSYS' | 'EACCES',
): Surroundings {
  const prefix = ['python3', `${repository}__test__/shared/seccomp.py`, errno, calls.join(',')]
  return surroundings(
    all(
      linux,
      tool('python3'),
      probe('needs the right to set a seccomp filter', () => runs([...prefix, 'true'])),
    ),
    prefix,
  )
}

/** A folder whose files may not be executed. */
export function withoutExecution(folder: string): Surroundings {
  const mount = `mount --bind ${folder} ${folder} && mount -o remount,bind,noexec ${folder} && `
  return surroundings(ownNamespaces, ['unshare', '--mount', '--', ...shell(mount)])
}

/**
 * System calls that fail, or deliver a signal, in the syntax of `strace -e inject=`: `'semget:error=ENOSPC'`,
 * `'semop:signal=SIGKILL:when=2'`. `semop` includes `semtimedop`, which is the call of glibc.
 *
 * Put it innermost (last): strace follows every thread of the program that it starts.
 */
export function injected(...rules: readonly string[]): Surroundings {
  const inject = rules.map(rule => rule.replace(/^semop:/, 'semop,semtimedop:'))
  const calls = inject.map(rule => rule.slice(0, rule.indexOf(':')))
  // The filter keeps strace away from all other system calls; strace 6.1 forgets to send signals with it.
  const filter = inject.some(rule => rule.includes(':signal=')) ? [] : ['--seccomp-bpf']
  return surroundings(straceWorks, [
    // -D: the tracer is a grandchild, so that the pid is that of the program.
    ...['strace', '-D', '-f', ...filter, '-qq', '-o', '/dev/null', '-e', `trace=${calls.join(',')}`],
    ...inject.flatMap(rule => ['-e', `inject=${rule}`]),
    '--',
  ])
}

const ownNamespaces = all(
  linux,
  root,
  tool('unshare', 'util-linux'),
  probe('needs the right to make namespaces and set their limits (CAP_SYS_ADMIN)', () =>
    runs([
      'unshare',
      '--ipc',
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs tmpfs /dev/shm && echo 64 > /proc/sys/kernel/shmmni',
    ]),
  ),
)

/** No `/dev/shm` at all, as on AWS Lambda; `/dev` has only the devices that a program needs. */
export const withoutShm = withShm(
  'dev=$(mktemp -d) && mount -t tmpfs none $dev && for f in null urandom; do touch $dev/$f && mount --bind /dev/$f $dev/$f; done && mount --move $dev /dev && rmdir $dev',
)

/** A user namespace without mappings: every uid reads as the same overflow uid. */
export const withoutUsers: Surroundings = surroundings(
  all(
    linux,
    tool('unshare', 'util-linux'),
    probe('needs the right to make user namespaces', () => runs(['unshare', '--user', 'true'])),
  ),
  ['unshare', '--user', '--'],
)

const straceWorks = all(
  linux,
  tool('strace'),
  probe('needs the right to trace (CAP_SYS_PTRACE)', () =>
    runs(['strace', '-D', '-f', '-qq', '-o', '/dev/null', 'true']),
  ),
)

function surroundings(need: Need, prefix: readonly string[]): Surroundings {
  return {
    get missing() {
      return need.missing
    },
    wrap: argv => [...prefix, ...argv],
  }
}

function shell(commands: string): string[] {
  return ['sh', '-c', `${commands}exec "$@"`, 'sh']
}

function runs([command, ...args]: readonly [string, ...string[]] | string[]): boolean {
  return command !== undefined && spawnSync(command, args).status === 0
}
