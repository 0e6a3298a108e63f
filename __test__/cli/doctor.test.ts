// `os-ipc doctor`: each finding, on a host that is prepared to have it.

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import test from 'ava'

import { cli, json, shell } from './helpers/cli.ts'
import { lockKeyOf } from '../lock/helpers/locks.ts'
import { child } from '../shared/child.ts'
import { exists, removeKey, uniqueKey } from '../shared/names.ts'
import { linux, requires, root } from '../shared/requires.ts'
import { privateIpc, type Surroundings, withTmpfs } from '../shared/surroundings.ts'

interface Finding {
  level: string
  topic: string
  text: string
  cures: string[]
}

const LEVELS = ['ok', 'note', 'warning', 'problem']

/** Runs commands of a shell, then the doctor, in the same surroundings. */
function after(commands: string): Surroundings {
  return { missing: undefined, wrap: argv => ['sh', '-c', `${commands} && exec "$@"`, 'sh', ...argv] }
}

async function findings(t: Parameters<typeof json>[0], ...within: Surroundings[]): Promise<Finding[]> {
  return json<Finding[]>(t, ['doctor', '--json'], { within })
}

test('doctor names the binding and the platform; --json and the text agree', async t => {
  const { code, stdout, stderr } = await cli(t, ['doctor'])
  t.is(stderr, '')
  const found = await findings(t)
  for (const finding of found) {
    t.deepEqual(Object.keys(finding), ['level', 'topic', 'text', 'cures'])
    t.true(LEVELS.includes(finding.level))
  }
  const binding = found.find(({ topic }) => topic === 'native binding')
  t.is(binding?.level, 'ok')
  t.regex(
    binding?.text ?? '',
    new RegExp(`^/.*\\.node \\(${process.platform}-${process.arch}, .*${process.version}\\)$`),
  )
  t.true(stdout.includes(`native binding: ${binding?.text}`))
  t.is(code, /^(warning|problem)/m.test(stdout) ? 1 : 0)
})

requires(privateIpc())('a healthy host has only ok and notes, and the exit code 0', async t => {
  const { code, stdout } = await cli(t, ['doctor'], { within: [privateIpc(), withTmpfs('1g')] })
  t.is(code, 0, stdout)
  t.regex(stdout, /^ok {7}semaphores: 0 of \d+ sets \(SEMMNI\) exist$/m)
  t.regex(stdout, /^ok {7}\/dev\/shm: 0 B of 1 G are used$/m)
  t.regex(stdout, /^ok {7}orphans: nothing seems to be left behind$/m)
})

requires(privateIpc())(
  'doctor reports limits that are reached, nearly reached or too small, with their numbers',
  async t => {
    const within = [
      privateIpc({ sem: [250, 32_000, 32, 5], shmmni: 2, shmmax: 65_536, shmall: 100 }),
      after(
        'for i in 1 2 3 4; do ipcmk -S 1; done >/dev/null && ipcmk -M 64 >/dev/null && ipcmk -M 64 >/dev/null',
      ),
    ]
    const found = await findings(t, ...within)
    const texts = found.map(({ level, topic, text }) => `${level} ${topic}: ${text}`)
    t.true(
      texts.includes('warning semaphores: 4 of 5 sets (SEMMNI) exist: the limit is almost reached'),
      texts.join('\n'),
    )
    t.true(
      texts.some(text =>
        text.startsWith('note semaphores: only names of up to 51 bytes are kept with their set'),
      ),
    )
    t.true(
      texts.includes('problem segments: 2 of 2 System V segments (SHMMNI) exist: no more can be created'),
    )
    t.true(texts.includes('ok segments: 2 of 100 pages of System V memory (SHMALL) exist'))
    t.true(texts.includes('note segments: a System V segment has at most 64 K (SHMMAX, SHMALL)'))
    t.is((await cli(t, ['doctor'], { within })).code, 1)
  },
)

requires(privateIpc())(
  'doctor reports sets that are too small for limits, with the number that is enough',
  async t => {
    const told = async (semmsl: number) => {
      const within = [privateIpc({ sem: [semmsl, 32_000, 500, 128] })]
      const { permits } = await json<{ permits: number | null }>(t, ['create', 'jobs', '-p', 2, '--json'], {
        within,
      })
      const found = await findings(t, ...within)
      return [
        permits,
        found.some(({ level, text }) => level === 'warning' && text.startsWith('limits have no recorded')),
      ]
    }
    t.deepEqual(await told(201), [null, true])
    t.deepEqual(await told(202), [2, false])
  },
)

requires(privateIpc())('the longest name that doctor reports is the longest that is verified', async t => {
  const within = [privateIpc({ sem: [250, 32_000, 32, 128] })]
  const verified = async (length: number) => {
    const item = await json<{ verified: boolean }>(t, ['create', 'x'.repeat(length), '-n', 1, '--json'], {
      within,
    })
    return item.verified
  }
  t.true(await verified(51))
  t.false(await verified(52))
})

requires(withTmpfs('1m'), root)('doctor reports a small or full /dev/shm', async t => {
  const small = await findings(t, withTmpfs('1m'))
  t.like(
    small.find(({ topic }) => topic === '/dev/shm'),
    { level: 'warning', text: '0 B of 1 M are used: 64 MB is the default of a container' },
  )
  const full = await findings(t, withTmpfs('1m'), after('head -c 1000k /dev/zero > /dev/shm/fill'))
  t.true(
    full.some(({ level, text }) => level === 'warning' && /1000 K of 1 M are used: nearly full/.test(text)),
  )
})

requires(privateIpc())('doctor reports kernel.shm_rmid_forced', async t => {
  const found = await findings(t, privateIpc(), after('echo 1 > /proc/sys/kernel/shm_rmid_forced'))
  const forced = found.find(({ text }) => text.includes('shm_rmid_forced'))
  t.is(forced?.level, 'warning')
})

requires(privateIpc())('doctor reports a private IPC namespace or a container', async t => {
  const found = await findings(t, privateIpc())
  t.true(
    found.some(({ topic, level }) => (topic === 'namespace' || topic === 'container') && level === 'note'),
  )
})

requires(linux)('doctor reports an unattached segment of a dead creator once it is a minute old', async t => {
  const key = uniqueKey(t)
  const script = `
import ctypes
libc = ctypes.CDLL(None)
print(libc.shmget(${key}, 4096, 0o1600))
`
  const made = spawnSync('python3', ['-c', script], { encoding: 'utf8' })
  t.regex(made.stdout, /^\d+\n$/)
  const hex = `0x${(key >>> 0).toString(16).padStart(8, '0')}`
  const young = await findings(t)
  t.false(young.some(({ text }) => text.includes(hex)))
  // The clock of doctor is two minutes fast; the objects that it inspects are real.
  const fast = `data:text/javascript,const now = Date.now; Date.now = () => now() + 120000`
  const found = await json<Finding[]>(t, ['doctor', '--json'], { nodeArgs: ['--import', fast] })
  const orphan = found.find(({ text }) => text.includes(hex))
  t.like(orphan, { level: 'warning', topic: 'orphans', cures: [`os-ipc rm --memory ${hex}`] })
  t.regex(
    orphan?.text ?? '',
    /^the segment 0x\w+ \(4 K\) is attached by no process, and its creator, \d+, is dead$/,
  )
  const [, ...words] = (orphan?.cures[0] ?? '').split(' ')
  t.is((await cli(t, words)).code, 0)
  t.false((await findings(t)).some(({ text }) => text.includes(hex)))
  removeKey(key)
})

requires(withTmpfs('1m'), privateIpc())('a file that no process has mapped is a note', async t => {
  const name = `doctor-${randomBytes(4).toString('hex')}`
  // In a private PID namespace doctor may inspect every process.
  const alone = {
    missing: undefined,
    wrap: (argv: readonly string[]) => ['unshare', '--pid', '--fork', '--mount-proc', ...argv],
  }
  const within = [privateIpc(), withTmpfs('1m'), alone, after(`head -c 4096 /dev/zero > /dev/shm/${name}`)]
  const fast = `data:text/javascript,const now = Date.now; Date.now = () => now() + 120000`
  const found = await json<Finding[]>(t, ['doctor', '--json'], { within, nodeArgs: ['--import', fast] })
  const file = found.find(({ text }) => text.includes(name))
  t.like(file, { level: 'note', topic: 'orphans', cures: [`os-ipc rm --memory /${name}`] })
})

test("doctor names the file that Node's permission model refuses, and the option that allows it", async t => {
  const home = fileURLToPath(new URL('../..', import.meta.url))
  // Options of the test run would read files, too.
  const env = { NODE_OPTIONS: undefined }
  // Node 22 warns without a code, so the whole kind of warning is turned off.
  const permitted = (...options: string[]) => [
    '--disable-warning=SecurityWarning',
    '--permission',
    ...options,
  ]
  const all = permitted(`--allow-fs-read=${home}*`, '--allow-addons')
  const { code, stdout, stderr } = await cli(t, ['doctor'], { nodeArgs: all, env })
  t.like({ code, stderr }, { code: 1, stderr: '' })
  t.regex(stdout, /^ok {7}native binding/m)
  for (const file of ['/proc/sysvipc/sem', '/proc/sysvipc/shm', '/dev/shm']) {
    t.regex(stdout, new RegExp(`^warning .*does not let os-ipc read .*${file}`, 'm'))
    t.true(stdout.includes(`         -> --allow-fs-read=${file} allows it\n`), file)
  }
  const without = await cli(t, ['doctor'], { nodeArgs: permitted(`--allow-fs-read=${home}*`), env })
  t.regex(without.stdout, /^problem {2}native binding: .*\n {9}-> --allow-addons lets Node load addons\n/)
  const few = permitted(`--allow-fs-read=${home}cli/*`, `--allow-fs-read=${home}package.json`)
  const unread = await cli(t, ['doctor'], { nodeArgs: few, env })
  t.true(unread.stdout.includes(`--allow-fs-read=${home}index.cjs allows it`), unread.stdout)
  const first = `${home}index.cjs`
  const error = `os-ipc: Node's permission model (--permission) does not let os-ipc read ${first}; --allow-fs-read=${first} allows it\n`
  t.like(await cli(t, ['ls'], { nodeArgs: few, env }), { code: 4, stdout: '', stderr: error })
})

for (const nodeArgs of [['--no-addons'], ['--permission', '--allow-fs-read=*']]) {
  test(`the error of ${nodeArgs[0]} has no full stop in its middle`, async t => {
    const { stderr } = await cli(t, ['ls'], { nodeArgs })
    t.notRegex(stderr, /[.;:];/)
    t.regex(stderr, /[^.]; os-ipc doctor examines it\n$/)
  })
}

requires(linux)(
  'doctor reports the lock of a killed process, and the command that it prints removes the lock',
  async t => {
    // A plain name, one that a shell would interpret, and one with a number and control characters.
    for (const prefix of ['plain.', 'a name; echo $(id) ', '42 \u001b[31m']) {
      const name = `${prefix}${randomBytes(4).toString('hex')}`
      const key = lockKeyOf(name)
      t.teardown(() => removeKey(key))
      const told = async () =>
        (await findings(t)).filter(({ cures }) =>
          cures.some(cure => cure.endsWith(` ${name}`) || cure.endsWith(` ${hex(key)}`)),
        )
      const leave = async () => {
        const holder = child(t, 'lock/hold-lock.ts', { args: ['', name] })
        t.is(await holder.next(), 'held')
        t.deepEqual(await told(), [], 'a process holds the lock')
        holder.kill('SIGTERM')
        await holder.exit
        return told()
      }
      const isCured = async () => {
        const [left, ...more] = await leave()
        if (left === undefined) return false
        t.deepEqual(more, [])
        t.like(left, { level: 'note', topic: 'orphans' })
        t.regex(left.text, /^no process uses the lock .*: its last user was killed$/)
        if (!exists('sem', key)) return false
        const { code, stderr } = await shell(t, left.cures[0] ?? 'false')
        if (code !== 0) t.log(stderr)
        return code === 0
      }
      let cured = await isCured()
      // `os-ipc lock` of another test removes the locks of dead processes that it finds.
      for (let tries = 0; !cured && tries < 10; tries += 1) cured = await isCured()
      t.true(cured)
      t.false(exists('sem', key))
      t.deepEqual(await told(), [])
    }
  },
)

function hex(key: number): string {
  return `0x${(key >>> 0).toString(16).padStart(8, '0')}`
}
