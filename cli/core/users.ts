import { userInfo } from 'node:os'

import { bytes } from './files.js'
import { printable } from './text.js'

let names: Map<number, string> | undefined

/** The name of a user from /etc/passwd, or the uid. */
export function userName(uid: number): string {
  names ??= readNames()
  return names.get(uid) ?? `${uid}`
}

function readNames(): Map<number, string> {
  const found = new Map<number, string>()
  // Without the file the uid is shown.
  for (const line of (bytes('/etc/passwd')?.toString() ?? '').split('\n')) {
    const [name = '', , uid = ''] = line.split(':')
    // Other programs show the first of several names of a uid too.
    if (/^\d+$/.test(uid) && !found.has(Number(uid))) found.set(Number(uid), printable(name))
  }
  try {
    const { uid, username } = userInfo()
    if (!found.has(uid)) found.set(uid, printable(username))
  } catch {
    // A uid that no directory knows.
  }
  return found
}
