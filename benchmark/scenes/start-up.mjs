import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { cannot, node } from '../shared/contenders.mjs'
import { home } from '../shared/programs.mjs'
import { extra, milliseconds } from '../shared/targets.mjs'

const OS_IPC = join(home, '../cli/os-ipc.cjs')
const KEPT = 'MB beside the command'
const PATIENCE = 10_000

/** Starts `true` behind the words of `before`, and waits for its end; what stays beside a longer command is a number of it. */
const starts = before =>
  node(async ({ object, atTheEnd }) => {
    const folder = mkdtempSync(join(tmpdir(), 'os-ipc-start-up-'))
    atTheEnd(() => rmSync(folder, { recursive: true, force: true }))
    const words = before(object, folder)
    // The shell of os-ipc looks for Node on the PATH.
    const env = { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}`, HOME: folder }
    const [command, ...args] = [...words, 'true']
    if (command === OS_IPC) atTheEnd(() => spawnSync(command, ['rm', '--force', object], { env }))
    const kept = await megabytesBeside([...words, 'sleep', '30'], env)
    return count => {
      for (let index = 0; index < count; index += 1) {
        const { status, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8' })
        if (status !== 0) throw error ?? new Error(stderr)
      }
      return { [KEPT]: kept }
    }
  })

/** The memory of the processes that are there while a command runs, but for its own. */
async function megabytesBeside([command, ...args], env) {
  const child = spawn(command, args, { env, stdio: 'ignore', detached: true })
  try {
    const deadline = performance.now() + PATIENCE
    for (;;) {
      const all = family(child.pid)
      const others = all.filter(({ name }) => name !== 'sleep')
      if (others.length < all.length) {
        return others.reduce((sum, { kilobytes }) => sum + kilobytes, 0) / 1024
      }
      if (performance.now() > deadline) throw new Error(`${command} started nothing`)
      await sleep(20)
    }
  } finally {
    process.kill(-child.pid, 'SIGKILL')
  }
}

/** A process and those that it has started: their names, and what they have in memory. */
function family(root) {
  const all = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => describe(pid) ?? [])
  const found = all.filter(({ pid }) => pid === root)
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid))
  return found
}

function describe(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const field = name => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1]
    return {
      pid: Number(pid),
      name: field('Name'),
      parent: Number(field('PPid')),
      kilobytes: Number(field('VmRSS') ?? 0),
    }
  } catch {
    return undefined // It has ended.
  }
}

const isThere = command => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0

/** The program of GNU parallel: another one of this name may be on the PATH. */
const hasGnuSem =
  isThere('sem') && /GNU parallel/.test(spawnSync('sem', ['--version'], { encoding: 'utf8' }).stdout)

const emptyNode = 'an empty Node'

export const scene = {
  name: 'start-up',
  title: 'A command under a permit: from the start to the end of `true`',
  operation: 'a command',
  rounds: 21,
  count: 1,
  contenders: {
    'os-ipc run': starts(object => [OS_IPC, 'run', object, '--']),
    'os-ipc lock': starts(object => [OS_IPC, 'lock', object, '--']),
    'os-ipc run --supervise': starts(object => [OS_IPC, 'run', object, '--supervise', '--']),
    [emptyNode]: node(() => count => {
      for (let index = 0; index < count; index += 1) spawnSync(process.execPath, ['-e', ''])
    }),
    'flock(1)': isThere('flock')
      ? starts((_, folder) => ['flock', join(folder, 'lock')])
      : cannot('flock is not installed: apt-get install util-linux'),
    'GNU sem': hasGnuSem
      ? starts(object => ['sem', '--fg', '--id', object.slice(1)])
      : cannot('GNU sem is not installed: apt-get install parallel'),
  },
  targets: [milliseconds('os-ipc run', emptyNode, 20), extra('os-ipc run', KEPT, 0.1)],
}
