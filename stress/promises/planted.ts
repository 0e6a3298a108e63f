import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'

import { Semaphore, SharedMemory } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { all, linux, probe, root, tool } from '../../__test__/shared/needs.ts'
import type { Promised, Trial } from '../promise.ts'

const SETTINGS = ['protected_symlinks', 'protected_hardlinks', 'protected_fifos', 'protected_regular']
const NOBODY = 65534
const PRECIOUS = 'precious'

/** The things that another user can put under a name; `$1` is the path, `$2` a file that must stay unchanged. */
const PLANTS: Record<string, string> = {
  'symbolic link': 'ln -s "$2" "$1"',
  'link to nowhere': 'ln -s "$2.missing" "$1"',
  'link to a link': 'ln -s "$2" "$1.1" && ln -s "$1.1" "$1"',
  'hard link': 'ln "$2" "$1"',
  FIFO: 'mkfifo -m 666 "$1"',
  directory: 'mkdir -m 777 "$1"',
  socket: 'python3 -c "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])" "$1"',
  'foreign file': 'umask 0; head -c 4096 /dev/zero > "$1"',
  'empty foreign file': 'umask 0; : > "$1"',
}
/** The things that only root can put there. */
const ROOTS: Record<string, string> = {
  'character device': 'mknod "$1" c 1 5',
  'block device': 'mknod "$1" b 7 200',
  'foreign file, sticky': 'head -c 4096 /dev/zero > "$1" && chown 65534 "$1" && chmod 1666 "$1"',
}

const promised: Promised = {
  promise:
    'with links, FIFOs, folders, devices and files of other users in /dev/shm, no call follows a link or truncates a file, at any level of fs.protected_*',
  trials: { long: 1, short: 1 },
  needs: all(linux, root, tool('setpriv', 'util-linux'), probe('needs to set fs.protected_*', settable)),
  async run(trial) {
    const before = SETTINGS.map(setting => readFileSync(`/proc/sys/fs/${setting}`, 'utf8'))
    let made = 0
    try {
      for (const level of [0, 1, 2]) {
        for (const setting of SETTINGS) {
          // Links have only the cases 0 and 1.
          const most = setting.endsWith('links') ? 1 : 2
          writeFileSync(`/proc/sys/fs/${setting}`, String(Math.min(level, most)))
        }
        for (const [kind, script] of Object.entries(PLANTS)) made += plant(trial, level, kind, script, true)
        for (const [kind, script] of Object.entries(ROOTS)) made += plant(trial, level, kind, script, false)
      }
    } finally {
      SETTINGS.forEach((setting, i) => void writeFileSync(`/proc/sys/fs/${setting}`, before[i] ?? '0'))
    }
    return `${made} combinations of ${Object.keys({ ...PLANTS, ...ROOTS }).length} plants, 3 levels and 2 kinds of objects`
  },
}
export default promised

function settable(): boolean {
  try {
    const file = '/proc/sys/fs/protected_fifos'
    writeFileSync(file, readFileSync(file))
    return true
  } catch {
    return false
  }
}

function plant(trial: Trial, level: number, kind: string, script: string, asNobody: boolean): number {
  for (const prefix of ['', 'sem.']) {
    const name = uniqueName(trial)
    const path = `/dev/shm/${prefix}${name.slice(1)}`
    const folder = `/dev/shm${uniqueName(trial)}`
    const target = `${folder}/target`
    mkdirSync(folder, { mode: 0o755 })
    writeFileSync(target, PRECIOUS, { mode: 0o666 })
    execFileSync('chmod', ['666', target])
    const as = asNobody ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : ['env']
    try {
      execFileSync(as[0] ?? '', [...as.slice(1), 'sh', '-c', script, 'sh', path, target], { stdio: 'pipe' })
    } catch {
      // fs.protected_hardlinks refused the link, or the check below reports it.
    }
    if (readdirSync('/dev/shm').includes(path.slice('/dev/shm/'.length))) {
      attack(trial, `${kind} at level ${level}`, name, prefix === '' ? 'memory' : 'semaphore')
    } else if (kind !== 'hard link' || level === 0) {
      trial.lost(`${kind} at level ${level} could not be planted`)
    }
    if (readFileSync(target, 'utf8') !== PRECIOUS || statSync(target).size !== PRECIOUS.length)
      trial.lost(`${kind} at level ${level}: the target was changed`)
    if (existsSync(`${target}.missing`)) trial.lost(`${kind} at level ${level}: something was made elsewhere`)
    for (const rest of [path, `${path}.1`, folder]) rmSync(rest, { recursive: true, force: true })
    trial.made()
  }
  return 2
}

function attack(trial: Trial, what: string, name: string, kind: 'memory' | 'semaphore'): void {
  const calls: Record<string, () => Disposable> =
    kind === 'memory'
      ? {
          open: () => SharedMemory.open(name),
          'open readOnly': () => SharedMemory.open(name, { readOnly: true }),
          openOrCreate: () => SharedMemory.openOrCreate(name, { size: 2 }),
          create: () => SharedMemory.create(name, { size: 2 }),
        }
      : {
          open: () => Semaphore.open(name, { backend: 'posix' }),
          openOrCreate: () => Semaphore.openOrCreate(name, { initial: 1, backend: 'posix' }),
          create: () => Semaphore.create(name, { initial: 1, backend: 'posix' }),
        }
  for (const [method, call] of Object.entries(calls)) {
    const start = performance.now()
    try {
      call()[Symbol.dispose]()
      trial.lost(`${what}: ${kind} ${method} took it`)
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException
      // EACCES: with fs.protected_regular and _fifos the kernel itself refuses.
      if (!['ERR_NOT_AN_OBJECT', 'ERR_FOREIGN_OWNER', 'EEXIST', 'EACCES'].includes(code))
        trial.lost(`${what}: ${kind} ${method} said ${code}`)
    }
    const time = performance.now() - start
    if (time > 5_000) trial.lost(`${what}: ${kind} ${method} took ${time} ms`)
  }
}
