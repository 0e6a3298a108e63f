// The demo proves its promises, reports when it cannot, and leaves nothing behind however it ends.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { Limit, SharedMemory } from '../../index.js'
import { type Child, type ChildOptions, type Exit, program } from '../shared/child.ts'
import { exists, keyOf } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import { asUser, withTmpfs } from '../shared/surroundings.ts'
import { until as holds } from '../shared/until.ts'

const MAIN = fileURLToPath(new URL('../../examples/demo/main.mjs', import.meta.url))
const USAGE = 2
const INTERRUPTED = 130
const RED = '\\x1b\\[31m'

/** Bytes that no slice shares with another. */
const SMALL = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i) % 251))

function demo(t: ExecutionContext, args: readonly string[] = [], options: ChildOptions = {}): Child {
  return program(t, [process.execPath, MAIN, ...args], { limit: 60_000, ...options })
}

function file(t: ExecutionContext, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'os-ipc-demo-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'input')
  writeFileSync(path, content)
  return path
}

/** The prefix of the names of a run's objects, from the second line of its output. */
async function nameOf(run: Child): Promise<string> {
  for (;;) {
    const [, name] = /^in the kernel: (\S+)-file,/.exec(String(await run.next())) ?? []
    if (name !== undefined) return name
  }
}

/** The objects of a run that exist, of the limit by the kernel's list. */
function objectsOf(name: string): string[] {
  const memory = ['file', 'board'].filter(object => {
    try {
      SharedMemory.open(`${name}-${object}`).close()
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  })
  return exists('sem', keyOf(`${name}-limit`)) ? ['limit', ...memory] : memory
}

function assertGone(t: ExecutionContext, name: string): void {
  t.deepEqual(objectsOf(name), [])
}

async function until(run: Child, expected: RegExp): Promise<void> {
  while (!expected.test(String(await run.next())));
}

const PROOFS = [
  /^proved: all \d+ slices have the SHA-256 of the same bytes on disk$/m,
  /^proved: never more than 2 permits were held at once: at most 2 \(\d+ holds/m,
  /^proved: the permit of worker (\d) was back \d+\.\d ms after the SIGKILL$/m,
  /^proved: slice \d+, which worker \d left half done, was done again by worker \d$/m,
  /^proved: 2 of 2 permits are free at the end$/m,
  /^proved: nothing of it is left/m,
]

test.serial('the demo splits the file of its own Node into slices and proves its promises', async t => {
  const run = demo(t)
  const name = await nameOf(run)
  const { code, stdout, stderr } = await run.exit
  t.is(code, 0, stdout + stderr)
  t.is(stderr, '')
  for (const proof of PROOFS) t.regex(stdout, proof)
  // Without a terminal the demo prints lines without codes that move the cursor.
  t.false(stdout.includes('\x1b'))
  t.regex(stdout, /worker \d has a permit and takes slice \d+/)
  assertGone(t, name)
})

for (const { major, path } of nodes) {
  test.serial(`the demo works on a small file, on Node ${major}`, async t => {
    const run = program(t, [path, MAIN, file(t, SMALL)], { limit: 60_000 })
    const { code, stdout, stderr } = await run.exit
    t.is(code, 0, stdout + stderr)
    for (const proof of PROOFS) t.regex(stdout, proof)
  })
}

test.serial('a file of one byte is one slice', async t => {
  const { code, stdout } = await demo(t, [file(t, 'x')]).exit
  t.is(code, 0, stdout)
  t.regex(stdout, /1 bytes, 1 slices/)
})

requires(linux)('a main that has no processor for a while still kills a worker in a slice', async t => {
  let wasStopped = false
  const stop = async (run: Child, name: string) => {
    using limit = Limit.open(`${name}-limit`)
    while (limit.info().free === 2) await sleep(1)
    run.kill('SIGSTOP')
    await sleep(1_000)
    run.kill('SIGCONT')
    wasStopped = true
  }
  const { code, stdout } = await disturbed(t, stop, () => wasStopped, 'x')
  t.is(code, 0, stdout)
  t.regex(stdout, /gets SIGKILL while it holds a permit/)
})

/** A run of the demo with a disturbance; again where this process had no processor, and its disturbance came too late. */
async function disturbed(
  t: ExecutionContext,
  disturb: (run: Child, name: string) => Promise<void>,
  cameInTime = ({ code }: Exit) => code !== 0,
  content: Buffer | string = SMALL,
): Promise<Exit & { name: string }> {
  for (let tries = 1; ; tries += 1) {
    const run = demo(t, [file(t, content)])
    const name = await nameOf(run)
    await disturb(run, name).catch(error => t.log(String(error)))
    const exit = await run.exit
    if (cameInTime(exit) || tries === 5) return { ...exit, name }
  }
}

test.serial('the demo finds bytes that another process changes in shared memory', async t => {
  const { code, stdout, name } = await disturbed(t, async (run, name) => {
    await until(run, /the file is in shared memory/)
    const segment = SharedMemory.open(`${name}-file`)
    const last = new Uint8Array(1)
    segment.read(last, segment.size - 1)
    segment.write(new Uint8Array([(last[0] ?? 0) ^ 1]), segment.size - 1)
    segment.close()
  })
  t.is(code, 1)
  t.regex(stdout, /^NOT PROVED: 1 of 24 slices differ from the disk: 24$/m)
  t.regex(stdout, /^the demo is done: 1 did not hold$/m)
  assertGone(t, name)
})

test.serial('the demo finds one permit too many', async t => {
  const heldAtOnce = /^NOT PROVED: 3 permits were held at once, and there are 2/m
  const { code, stdout } = await disturbed(
    t,
    async (_, name) => {
      const limit = Limit.open(`${name}-limit`)
      await limit.resize(3)
      limit.close()
    },
    exit => heldAtOnce.test(exit.stdout),
  )
  t.is(code, 1)
  t.regex(stdout, heldAtOnce)
  t.regex(stdout, /^NOT PROVED: 3 of 3 permits are free at the end, not 2 of 2$/m)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test.serial(`${signal} in the middle leaves nothing behind`, async t => {
    const {
      code,
      signal: killed,
      stderr,
      name,
    } = await disturbed(t, async run => {
      await until(run, /worker \d has a permit/)
      run.kill(signal)
    })
    t.is(killed, null)
    t.is(stderr, `os-ipc demo: ended by ${signal}, everything is taken away\n`)
    t.is(code, signal === 'SIGINT' ? INTERRUPTED : 143)
    assertGone(t, name)
  })
}

test.serial('a demo whose reader goes away leaves nothing behind', async t => {
  const command = `"$0" "$1" "$2" | head -n 4`
  const run = program(t, ['sh', '-c', command, process.execPath, MAIN, file(t, SMALL)])
  const name = await nameOf(run)
  await run.exit
  // The demo notices at its next line, a moment after `head` has ended.
  await holds('nothing of the demo is left', () => objectsOf(name).length === 0)
  t.pass()
})

async function refused(
  t: ExecutionContext,
  path: string,
  reason: RegExp,
  options?: ChildOptions,
): Promise<void> {
  const { code, stdout, stderr } = await demo(t, [path], options).exit
  t.is(code, USAGE)
  t.is(stdout, '')
  t.regex(stderr, /^os-ipc demo: [^\n]+\n$/)
  t.regex(stderr, reason)
}

test('an unusable file is an error of one line with exit code 2', async t => {
  await refused(t, '/no/such/file', /\/no\/such\/file: there is no such file/)
  await refused(t, tmpdir(), /this is a directory/)
  await refused(t, file(t, ''), /the file is empty/)
  await refused(t, '/dev/zero', /this is not a regular file/)
})

test('a wrong command line is an error of one line with exit code 2', async t => {
  await refused(t, '--wrong', /Unknown option '--wrong': npm run demo/)
})

requires(tool('mkfifo', 'coreutils'))('a FIFO does not make the demo wait', async t => {
  const fifo = file(t, '')
  rmSync(fifo)
  await program(t, ['mkfifo', fifo]).exit
  await refused(t, fifo, /this is not a regular file/)
})

requires(linux, asUser(65534))('an unreadable file is an error of one line too', async t => {
  await refused(t, '/etc/shadow', /no permission to read it/, { within: [asUser(65534)] })
})

requires(withTmpfs('1m'))(
  'a file larger than shared memory is an error of one line, and leaves nothing behind',
  async t => {
    const large = file(t, new Uint8Array(2_000_000))
    await refused(t, large, /2\.0 MB are more than shared memory has room for \(1\.0 MB free\)/, {
      within: [withTmpfs('1m')],
    })
  },
)

requires(withTmpfs('1m'))('a file that just does not fit leaves nothing behind either', async t => {
  // The file fits into the free space, but the file and the board together do not.
  const exact = file(t, new Uint8Array(1024 * 1024))
  const script = '"$0" "$1" "$2"; echo "code $?"; ls -A /dev/shm'
  const run = program(t, ['sh', '-c', script, process.execPath, MAIN, exact], { within: [withTmpfs('1m')] })
  const { stdout, stderr } = await run.exit
  t.is(stdout, 'code 2\n')
  t.regex(stderr, /^os-ipc demo: .*more than shared memory has room for.*\n$/)
})

requires(tool('script', 'bsdutils'))(
  'a terminal shows one bar for the whole and one line per worker',
  async t => {
    const command = `stty cols 72 rows 24; '${process.execPath}' '${MAIN}' '${file(t, SMALL)}'`
    const run = async (env: Record<string, string | undefined>) => {
      const started = program(t, ['script', '-qec', command, '/dev/null'], {
        env: { TERM: 'xterm', NO_COLOR: undefined, ...env },
        limit: 60_000,
      })
      const { code, stdout } = await started.exit
      t.is(code, 0, stdout)
      return stdout
    }
    const colored = await run({})
    t.regex(colored, /\[#+\.+\] +\d+ % {2}\d+ of 24 slices/)
    t.regex(colored, /worker 6 {2}pid \d+ +\d+ done {2}(\[|waits)/)
    t.regex(colored, new RegExp(`${RED}.*killed while it held a permit`))
    const plain = await run({ NO_COLOR: '1' })
    t.regex(plain, /killed while it held a permit/)
    t.false(plain.includes('\x1b[3'))
  },
)
