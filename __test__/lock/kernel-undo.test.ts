// Kernels that undo nothing, or refuse System V: their capabilities, and the material of locks there.

import { capabilities } from '../../index.js'
import { child } from '../shared/child.ts'
import { json } from '../cli/helpers/cli.ts'
import { refusing, withoutUndo } from '../shared/kernels.ts'
import { sysv } from './helpers/locks.ts'
import { exists, keyOf } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { injected, privateIpc, type Surroundings } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

interface Finding {
  level: string
  topic: string
  text: string
  cures: string[]
}

requires(linux)('Linux returns the units of a dead process, and the probe leaves no object', async t => {
  t.deepEqual(capabilities.limits, { engines: ['sysv', 'ledger'], default: 'sysv', crashRecovery: true })
  t.is(capabilities.locks, 'sysv')
  const key = keyOf(`os-ipc:undo:${process.geteuid?.()}`)
  // Other processes of the run probe too, and each has the set for a moment.
  await until('no probe has left its set', () => !exists('sem', key))
  t.pass()
})

const kernels: [title: string, within: Surroundings, semaphoreBackends: string[]][] = [
  ['a kernel that ignores SEM_UNDO', withoutUndo(), ['sysv', 'posix']],
  ['a filter that answers EPERM to System V', refusing('sysv', 'EPERM'), ['posix']],
  ['a filter that answers ENOSYS to System V', refusing('sysv', 'ENOSYS'), ['posix']],
]

for (const [title, kernel, semaphoreBackends] of kernels) {
  requires(kernel)(`under ${title}, capabilities report it and locks are files`, async t => {
    const name = sysv.lockName(t)
    const within = [kernel]
    const holder = child(t, 'lock/capabilities.ts', { args: [name], within })
    t.deepEqual(await holder.next(), {
      limits: [...semaphoreBackends.filter(backend => backend === 'sysv'), 'ledger'],
      crashRecovery: true,
      engine: 'files',
      semaphoreBackends,
    })
    t.deepEqual(await holder.next(), { mode: 'exclusive', held: [holder.pid] })
    t.false(sysv.isThere(name), 'no set was made')

    // Another process waits, and gets the lock of the killed one.
    const next = child(t, 'lock/capabilities.ts', { args: [name], within })
    t.like(await next.next(), { engine: 'files' })
    const pending = next.next()
    t.is(await Promise.race([pending, new Promise(resolve => setTimeout(resolve, 300, 'waits'))]), 'waits')
    holder.kill('SIGKILL')
    t.deepEqual(await pending, { mode: 'exclusive', held: [next.pid] })
    next.send('release')
    t.is((await next.exit).code, 0)
  })
}

requires(withoutUndo())('the doctor reports that the kernel ignores SEM_UNDO', async t => {
  const findings = await json<Finding[]>(t, ['doctor', '--json'], { within: [withoutUndo()] })
  const recovery = findings.find(({ topic }) => topic === 'recovery')
  t.is(recovery?.level, 'ok')
  t.regex(recovery?.text ?? '', /limits are ledgers .* this kernel ignores SEM_UNDO/)
})

const noProcesses = refusing('processes', 'EPERM')
requires(noProcesses)('where no process can be made, the kernel counts as one with undo', async t => {
  const name = sysv.lockName(t)
  const holder = child(t, 'lock/capabilities.ts', { args: [name], within: [noProcesses] })
  t.like(await holder.next(), { crashRecovery: true, engine: 'sysv' })
  t.like(await holder.next(), { mode: 'exclusive' })
  holder.send('release')
  t.is((await holder.exit).code, 0)
})

// The signal comes at its GETVAL, when the set exists.
const killed = injected('semctl:signal=SIGKILL:when=2')
requires(privateIpc(), killed)(
  'a process that is killed in its probe leaves one set at most, and the next removes it',
  async t => {
    const script = `for i in 1 2 3; do "$@"; done; echo "sets: $(($(wc -l < /proc/sysvipc/sem) - 1))"`
    const count = async (runs: Surroundings, command: string) => {
      const { stdout } = await child(t, 'lock/capabilities.ts', {
        args: ['a'],
        within: [
          privateIpc(),
          { missing: undefined, wrap: argv => ['sh', '-c', command, 'sh', ...argv] },
          runs,
        ],
      }).exit
      return stdout.match(/sets: \d+/)?.[0]
    }
    t.is(await count(killed, script), 'sets: 1')
  },
)
