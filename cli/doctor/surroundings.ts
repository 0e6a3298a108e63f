import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'

import { type Finding, finding } from './finding.js'
import { filesIn, linkOf, text } from '../core/files.js'

/** The inode numbers of the first namespaces, which the kernel gives out at boot. */
const FIRST_IPC_NAMESPACE = 'ipc:[4026531839]'

/** The lowest uid of a person, unless /etc/login.defs has another one. */
const FIRST_LOGIN_UID = 1000

/** The surroundings of this process: a container, a private namespace, a login session. */
export function checkSurroundings(): Finding[] {
  return [...namespaces(), ...login()]
}

function namespaces(): Finding[] {
  const own = linkOf('/proc/self/ns/ipc')
  if (own === undefined) return []
  const container = containerKind()
  if (container !== undefined) {
    return [
      finding(
        'note',
        'container',
        `this is a container (${container}), with separate semaphores, segments and /dev/shm${own === FIRST_IPC_NAMESPACE ? ', unless it shares those of the host, as here' : ''}`,
        'to share: docker run --ipc=host, or --ipc=container:NAME',
      ),
    ]
  }
  const first = linkOf('/proc/1/ns/ipc') ?? FIRST_IPC_NAMESPACE
  if (own === first) return [finding('ok', 'namespace', 'this is the IPC namespace of the host')]
  return [
    finding(
      'note',
      'namespace',
      'this process has a separate IPC namespace (unshare, PrivateIPC=yes): it shares nothing with programs outside of it',
    ),
  ]
}

/** logind removes the objects of users when they log out. */
function login(): Finding[] {
  if (process.platform !== 'linux' || !existsSync('/run/systemd/system')) return []
  const { uid, username } = user()
  if (uid < firstLoginUid())
    return [finding('ok', 'RemoveIPC', `uid ${uid} is a system user: systemd keeps its objects`)]
  if (removeIpc() === 'no')
    return [finding('ok', 'RemoveIPC', 'systemd keeps the objects of users that log out')]
  if (existsSync(`/var/lib/systemd/linger/${username}`)) {
    return [finding('ok', 'RemoveIPC', `${username} lingers: systemd keeps its objects at a logout`)]
  }
  return [
    finding(
      'warning',
      'RemoveIPC',
      `systemd removes every semaphore and segment of ${username} at the last logout, in use or not`,
      'run services as a system user, or RemoveIPC=no in /etc/systemd/logind.conf',
      `loginctl enable-linger ${username}`,
    ),
  ]
}

function containerKind(): string | undefined {
  if (existsSync('/.dockerenv')) return 'docker'
  if (existsSync('/run/.containerenv')) return 'podman'
  if (process.env.KUBERNETES_SERVICE_HOST !== undefined) return 'kubernetes'
  if (process.env.container !== undefined) return process.env.container
  const groups = text('/proc/1/cgroup') ?? ''
  return /\/(docker|lxc|kubepods|containerd|crio)[-/]/.exec(groups)?.[1]
}

/** `RemoveIPC` of logind.conf; the last file that sets it counts, and yes is the default. */
function removeIpc(): string {
  const files = [
    ...['/usr/lib/systemd/logind.conf', '/etc/systemd/logind.conf'],
    ...['/usr/lib', '/run', '/etc'].flatMap(root => filesIn(`${root}/systemd/logind.conf.d`, '.conf')),
  ]
  let value = 'yes'
  for (const file of files) {
    for (const [, said = ''] of (text(file) ?? '').matchAll(/^\s*RemoveIPC\s*=\s*(\S+)/gim))
      value = said.toLowerCase()
  }
  return ['no', 'false', '0', 'off'].includes(value) ? 'no' : 'yes'
}

function firstLoginUid(): number {
  return Number(/^\s*UID_MIN\s+(\d+)/m.exec(text('/etc/login.defs') ?? '')?.[1] ?? FIRST_LOGIN_UID)
}

function user(): { uid: number; username: string } {
  try {
    return userInfo()
  } catch {
    const uid = process.getuid?.() ?? 0
    return { uid, username: `uid ${uid}` }
  }
}
