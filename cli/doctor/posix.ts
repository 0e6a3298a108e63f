import { accessSync, constants, type Stats, statfsSync, statSync } from 'node:fs'

import { size } from '../core/format.js'
import { type Finding, finding } from './finding.js'
import { text } from '../core/files.js'

const FOLDER = '/dev/shm'
const TMPFS = 0x01021994
const NEARLY = 0.9

/** The default size of /dev/shm in a container. */
const CONTAINER_DEFAULT = 64 << 20

/** The cures for a missing or unusable folder. */
const MOUNT = [
  'mount -t tmpfs tmpfs /dev/shm',
  'docker run --tmpfs /dev/shm; in Kubernetes an emptyDir of medium Memory on /dev/shm',
]

/** With fewer open files than this a program with many POSIX objects reaches its limit. */
const FEW_FILES = 1024

/** /dev/shm: whether it exists, whether this user may write to it, and how full it is. */
export function checkPosix(): Finding[] {
  return [...folder(), ...openFiles()]
}

function folder(): Finding[] {
  if (process.platform !== 'linux') return []
  const status = statSync(FOLDER, { throwIfNoEntry: false })
  if (!status?.isDirectory()) {
    const what = status === undefined ? 'there is no /dev/shm' : '/dev/shm is not a folder'
    return [
      finding(
        'problem',
        FOLDER,
        `${what}: POSIX memory and semaphores cannot be created`,
        ...MOUNT,
        'AWS Lambda has none: use System V there, memory by a key instead of a name',
      ),
    ]
  }
  const findings: Finding[] = []
  const { bsize, blocks, bavail, files, ffree, type } = statfsSync(FOLDER)
  const [all, free] = [blocks * bsize, bavail * bsize]
  const fill = `${size(all - free)} of ${size(all)} are used`
  if (type !== TMPFS) {
    findings.push(finding('note', FOLDER, 'it is not a tmpfs: memory there may be written to a disk'))
  }
  if (all > 0 && free < all * (1 - NEARLY)) {
    findings.push(
      finding(
        'warning',
        FOLDER,
        `${fill}: nearly full`,
        'os-ipc ls -m lists the memory',
        'mount -o remount,size=... /dev/shm',
      ),
    )
  } else if (all > 0 && all <= CONTAINER_DEFAULT) {
    findings.push(
      finding(
        'warning',
        FOLDER,
        `${fill}: 64 MB is the default of a container`,
        'docker run --shm-size=1g; in Kubernetes an emptyDir of medium Memory on /dev/shm',
      ),
    )
  } else {
    findings.push(finding('ok', FOLDER, all === 0 ? 'it has no limit' : fill))
  }
  if (files > 0 && ffree < files * (1 - NEARLY)) {
    findings.push(
      finding(
        'warning',
        FOLDER,
        `${files - ffree} of ${files} files exist: the limit is almost reached`,
        'mount -o remount,nr_inodes=... /dev/shm',
      ),
    )
  }
  try {
    accessSync(FOLDER, constants.W_OK | constants.X_OK)
  } catch (error) {
    findings.push(closed((error as NodeJS.ErrnoException).code, status))
  }
  return findings
}

/** The reason why no object can be made there. */
function closed(code: string | undefined, { uid, mode }: Stats): Finding {
  if (code === 'EROFS') {
    return finding('problem', FOLDER, 'it is read-only: no object can be created or removed', ...MOUNT)
  }
  const bits = (mode & 0o7777).toString(8)
  return finding(
    'problem',
    FOLDER,
    `this user may not create objects there: it belongs to uid ${uid}, and its mode is ${bits}`,
    'chmod 1777 /dev/shm, as its owner',
  )
}

/** A POSIX object holds a descriptor for as long as it is open. */
function openFiles(): Finding[] {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(text('/proc/self/limits') ?? '') ?? []
  if (soft === undefined || Number(soft) >= FEW_FILES) return []
  return [
    finding(
      'note',
      'open files',
      `a process may have ${soft} open files, and every POSIX object is one`,
      'ulimit -n 65536',
    ),
  ]
}
