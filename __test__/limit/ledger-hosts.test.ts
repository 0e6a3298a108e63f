// Hosts on which a ledger finds no folder, no room or no file descriptor: an error with a hint, and nothing is lost or left.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

import { Limit } from '../../index.js'
import { child } from '../shared/child.ts'
import { ledgerOf, removeNamed, uniqueName } from '../shared/names.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import { asUser, injected, type Surroundings, withOpenFiles, withShm } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'
import { remote } from './helpers/remote.ts'

const ledger = { engine: 'ledger' } as const

interface Failed {
  code?: string
  hint?: string
  message?: string
  limit?: number
}

/** The inboxes of a process: the name of one ends with the pid and the start time, 8 hexadecimal digits each. */
function inboxesOf(pid: number, folder = '/dev/shm'): string[] {
  const inbox = new RegExp(`^os-ipc\\.wake\\..*${pid.toString(16).padStart(8, '0')}[0-9a-f]{8}$`)
  return readdirSync(folder).filter(name => inbox.test(name))
}

// ---- file descriptors

requires(withOpenFiles(64))(
  'with few file descriptors, each call works or throws EMFILE with a hint, and loses nothing',
  async t => {
    const prefix = uniqueName(t)
    const last = `${prefix}last`
    t.teardown(() => removeNamed(last))
    // Each number has a process of its own: one that waited keeps a thread, which may take descriptors at any moment.
    for (let free = 0; free <= 7; free += 1) {
      t.teardown(() => removeNamed(`${prefix}${free}`))
      const scarce = child(t, 'limit/scarce.ts', { args: [prefix], within: [withOpenFiles(64)] })
      scarce.send(free)
      const answers = (await scarce.next()) as Record<string, unknown>
      for (const [call, answer] of Object.entries(answers)) {
        if (call === 'wait in vain') {
          t.is((answer as Failed).code, 'ETIMEDOUT', call)
        } else if (typeof answer === 'object') {
          const { code, hint = '' } = answer as Failed
          t.is(code, 'EMFILE', `${call} with ${free}: ${JSON.stringify(answer)}`)
          t.regex(hint, /ulimit -n/, call)
        }
      }
      if (answers.create === 'done') {
        t.like(answers, {
          tryAcquire: 'done',
          info: 0,
          wait: 'done',
          resize: 'done',
          free: 2,
          remove: 'done',
        })
      }
      t.is(answers.create === 'done', free > 0, `${free}: ${JSON.stringify(answers.create)}`)
      if (free > 2) t.like(answers, { open: 'done', list: true }, `${free}`)
      t.false(existsSync(ledgerOf(`${prefix}${free}`)))
      // What it could not find out with few descriptors, it finds out later.
      scarce.send('hold')
      t.is(await scarce.next(), 'held')
      using limit = Limit.open(last, ledger)
      t.deepEqual(limit.info().holders, [{ pid: scarce.pid, permits: 1 }])
      const [start, pid] = new Uint32Array(Uint8Array.from(readFileSync(ledgerOf(last))).buffer, 320, 2)
      t.is(pid, scarce.pid)
      t.not(start, 0, 'it has an identity that no later process of its pid has')
      scarce.send(null)
      await scarce.exit
      t.deepEqual(inboxesOf(scarce.pid), [])
      t.truthy(limit.tryAcquire())
      limit.unlink()
    }
  },
)

for (const free of [2, 3, 4, 5]) {
  requires(withOpenFiles(64))(
    `a process that has ${free} file descriptors for a wait leaves no inbox`,
    async t => {
      const prefix = uniqueName(t)
      t.teardown(() => removeNamed(`${prefix}${free}`))
      const scarce = child(t, 'limit/scarce.ts', { args: [prefix], within: [withOpenFiles(64)] })
      scarce.send(free)
      t.like(await scarce.next(), { create: 'done', wait: 'done' })
      scarce.send(null)
      t.like(await scarce.exit, { code: 0, signal: null })
      t.deepEqual(inboxesOf(scarce.pid), [])
    },
  )
}

// ---- memory

const full = withShm('mount -t tmpfs -o size=64k none /dev/shm')

requires(full)(
  'in a full /dev/shm, create and a further process throw ENOSPC, and nothing is lost',
  async t => {
    const name = uniqueName(t)
    const writer = child(t, 'limit/full-folder.ts', { args: [name, process.pid], within: [full] })
    const seen = (await writer.next()) as Record<string, Failed>
    for (const failed of [seen.created, seen.grown, seen.grownInWait]) {
      t.is(failed?.code, 'ENOSPC')
      t.regex(failed?.hint ?? '', /\/dev\/shm has 0 of 65536 bytes free.*is full/)
    }
    t.like(seen, { left: ['fill'], free: 3, taken: true })
    t.like(await writer.exit, { code: 0, signal: null })
  },
)

const fewFiles = withShm('mount -t tmpfs -o nr_inodes=3 none /dev/shm && touch /dev/shm/fill')

requires(fewFiles, tool('nsenter', 'util-linux'))(
  'a process that finds no room for its inbox is served all the same',
  async t => {
    const name = uniqueName(t)
    const first = remote(t, 'create', name, { permits: 1, ...ledger }, { within: [fewFiles] })
    t.like(await first.opened, { created: true })
    t.is(await first.call('acquire'), 1)
    const there: Surroundings = {
      missing: undefined,
      wrap: argv => ['nsenter', '--mount', '--target', `${first.child.pid}`, '--', ...argv],
    }
    const second = remote(t, 'open', name, {}, { within: [there] })
    await second.opened
    const served = second.call('acquire')
    await until('it waits', async () => ((await first.call('info')) as { waiters: number }).waiters === 1)
    t.is(await first.call('release'), 'done')
    t.is(await served, 1)
    const waits = first.call('acquire')
    second.child.kill('SIGKILL')
    t.is(await waits, 1)
    const folder = readdirSync(`/proc/${first.child.pid}/root/dev/shm`)
    t.deepEqual(folder.sort(), ['fill', basename(ledgerOf(name))])
    const more = remote(t, 'create', `${name}2`, { permits: 1, ...ledger }, { within: [there] })
    const failed = (await more.opened) as Failed
    t.like(failed, { code: 'ENOSPC', limit: 3 })
    t.regex(failed.hint ?? '', /3 inodes.*nr_inodes/)
  },
)

for (const call of ['ftruncate', 'fallocate', 'linkat'] as const) {
  const fails = injected(`${call}:error=ENOSPC`)
  requires(fails)(`a ledger that cannot be created for lack of room in ${call} leaves nothing`, async t => {
    const name = uniqueName(t)
    const before = readdirSync('/dev/shm')
    const other = remote(t, 'create', name, { permits: 1, ...ledger }, { within: [fails] })
    const failed = (await other.opened) as Failed
    t.is(failed.code, 'ENOSPC')
    t.regex(failed.hint ?? '', /\/dev\/shm/)
    const ours = (file: string) => /^os-ipc\.(?:new|counter)\./.test(file) && !before.includes(file)
    t.false(
      readdirSync('/dev/shm')
        .filter(ours)
        .includes(basename(ledgerOf(name))),
    )
    t.deepEqual(
      readdirSync('/dev/shm').filter(file => file.startsWith(`os-ipc.new.${other.child.pid}.`)),
      [],
    )
  })
}

const smallFiles: Surroundings = {
  missing: tool('prlimit', 'util-linux').missing,
  wrap: argv => ['prlimit', '--fsize=1000', ...argv],
}

requires(linux, smallFiles)('a limit of file sizes is EFBIG with its value', async t => {
  const other = remote(t, 'create', uniqueName(t), { permits: 1, ...ledger }, { within: [smallFiles] })
  const failed = (await other.opened) as Failed
  t.like(failed, { code: 'EFBIG', limit: 1000 })
  t.regex(failed.hint ?? '', /1000 bytes \(RLIMIT_FSIZE/)
})

// ---- folders

const readOnly = 'mount -t tmpfs -o ro none'

requires(withShm(`${readOnly} /dev/shm`))('a read-only /dev/shm leaves /var/tmp', async t => {
  const name = uniqueName(t)
  const within = [withShm(`${readOnly} /dev/shm`)]
  const first = remote(t, 'create', name, { permits: 1, ...ledger }, { within })
  t.like(await first.opened, { created: true })
  t.true(existsSync(ledgerOf(name, '/var/tmp')))
  const second = remote(t, 'open', name, {}, { within })
  t.is(await first.call('acquire'), 1)
  t.is(await second.call('tryAcquire'), false)
  const waiting = second.call('acquire')
  first.child.kill('SIGKILL')
  t.is(await waiting, 1)
  await first.child.exit
  t.is(await second.call('unlink'), 'done')
  second.child.send(null)
  await second.child.exit
  for (const process of [first, second]) t.deepEqual(inboxesOf(process.child.pid, '/var/tmp'), [])
})

for (const [what, place, code] of [
  ['read-only', withShm(`${readOnly} /dev/shm && ${readOnly} /var/tmp`), 'EROFS'],
  [
    'missing',
    withShm(
      `mount -t tmpfs none /var && dev=$(mktemp -d) && mount -t tmpfs none $dev && for f in null urandom; do touch $dev/$f && mount --bind /dev/$f $dev/$f; done && mount --move $dev /dev && rmdir $dev`,
    ),
    'ENOENT',
  ],
] as const) {
  requires(place)(`where both folders are ${what}, the error names the cure`, async t => {
    const name = uniqueName(t)
    for (const method of ['create', 'open', 'openOrCreate', 'unlink'] as const) {
      const permits = /reate/.test(method) ? { permits: 1 } : {}
      const other = remote(t, method, name, { ...permits, ...ledger }, { within: [place] })
      const failed = (await other.opened) as Failed
      t.is(failed.code, code, method)
      t.regex(failed.message ?? '', /cannot use the folder of the limit, \w+ '\/dev\/shm' for/)
      t.regex(failed.hint ?? '', /tmpfs on \/dev\/shm .*--tmpfs \/dev\/shm.*\/var\/tmp/)
    }
  })
}

for (const [what, mode, hint] of [
  ['write to', '755', /may not create files in \/dev\/shm, .*chmod 1777/],
  ['search', '1766', /may not search it, .*chmod 1777/],
] as const) {
  const closed = withShm(`mount -t tmpfs -o mode=${mode} none /dev/shm`)
  requires(closed, asUser(65_533))(
    `a user who may not ${what} /dev/shm gets an error, and no ledger elsewhere`,
    async t => {
      const name = uniqueName(t)
      const within = [closed, asUser(65_533)]
      const other = remote(t, 'create', name, { permits: 1, mode: 0o666, ...ledger }, { within })
      const failed = (await other.opened) as Failed
      t.is(failed.code, 'EACCES')
      t.regex(failed.hint ?? '', hint)
      t.false(existsSync(ledgerOf(name, '/var/tmp')))
    },
  )
}

for (const [what, within] of [
  ['no folder for ledgers', [withShm(`${readOnly} /dev/shm && ${readOnly} /var/tmp`)]],
  [
    'a /dev/shm that a user may not search',
    [withShm('mount -t tmpfs -o mode=1766 none /dev/shm'), asUser(65_533)],
  ],
] as const) {
  requires(...within)(`${what} does not keep a limit from being a set`, async t => {
    const name = uniqueName(t)
    const first = remote(t, 'create', name, { permits: 1 }, { within })
    t.like(await first.opened, { created: true })
    for (const method of ['open', 'openOrCreate'] as const) {
      const permits = method === 'open' ? {} : { permits: 1 }
      const other = remote(t, method, name, permits, { within })
      t.like(await other.opened, { created: false })
      t.like(await other.call('info'), { engine: 'sysv', free: 1 })
    }
    const removed = remote(t, 'unlink', name, {}, { within })
    t.true(await removed.opened)
    const absent = remote(t, 'open', name, {}, { within })
    t.like(await absent.opened, { code: 'ENOENT' })
  })
}
