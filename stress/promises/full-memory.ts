import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'

import { all, linux, root } from '../../__test__/shared/needs.ts'
import { type Surroundings, withTmpfs } from '../../__test__/shared/surroundings.ts'
import { child } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

const LIMIT = 64 << 20
/** A group of either version of cgroups(7), and the file of its limit. */
const CGROUPS = existsSync('/sys/fs/cgroup/cgroup.controllers')
  ? { root: '/sys/fs/cgroup', limit: 'memory.max' }
  : { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' }

interface Report {
  code?: string
  syscall?: string
  hint?: string
  left: string[]
}

const promised: Promised = {
  promise:
    'if /dev/shm is full, or a memory cgroup is at its limit, `create` throws and leaves nothing behind',
  trials: { long: 50, short: 6 },
  needs: all(linux, root, withTmpfs('1m')),
  async run(trial) {
    const full = await eachTime(trial, trial.count / 2, [withTmpfs('8m')], 9 << 20, 'ENOSPC')
    const group = cgroup(trial)
    const limited =
      group === undefined
        ? 'no memory cgroup to try'
        : await eachTime(trial, trial.count / 2, [group], 512 << 20, 'ENOMEM')
    return `full /dev/shm: ${full}; cgroup of 64 MB: ${limited}`
  },
}
export default promised

async function eachTime(
  trial: Trial,
  count: number,
  within: Surroundings[],
  size: number,
  expected: string,
): Promise<string> {
  const seen = new Set<string>()
  for (let turn = 0; turn < count; turn += 1) {
    const creator = child(trial, 'full-memory', { args: [size + turn * 4096], within })
    const report = (await creator.next()) as Report | undefined
    const { signal } = await creator.exit
    if (report === undefined) {
      // The library does not cause a kill by the OOM killer, but a user would see it.
      trial.lost(`killed by ${signal}`)
      continue
    }
    if (report.code !== expected) trial.lost(`${report.code ?? 'there was room'} instead of ${expected}`)
    seen.add(`${report.code} from ${report.syscall}`)
    if (report.left.length > 0) trial.lost(`left behind: ${report.left.join(', ')}`)
    if (report.hint === undefined) trial.lost('no hint')
    trial.made()
  }
  return [...seen].join(', ')
}

/** A memory cgroup with a limit. */
function cgroup(trial: Trial): Surroundings | undefined {
  const group = `${CGROUPS.root}/os-ipc-stress-${process.pid}`
  try {
    mkdirSync(group)
    trial.teardown(() => rmdirSync(group))
    writeFileSync(`${group}/${CGROUPS.limit}`, String(LIMIT))
  } catch {
    return undefined // this user may not make the group, or the group does not control memory
  }
  const enter = `echo $$ > ${group}/cgroup.procs && exec "$@"`
  return { missing: undefined, wrap: argv => ['sh', '-c', enter, 'sh', ...argv] }
}
