// `os-ipc limit`, and limits in the other commands: the number of permits, the holders, and objects that are not limits.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

import test from 'ava'
import type { ExecutionContext } from 'ava'

import { Limit, Semaphore, SharedMemory } from '../../index.js'
import { cli, inTerminal, json, osIpc, start, terminals } from './helpers/cli.ts'
import { type Child, program } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import type { Engine } from '../shared/engines.ts'
import { onEachEngine } from '../shared/on-each-engine.ts'
import { linux, requires } from '../shared/requires.ts'
import { asUser, privateIpc } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

const DONE = { code: 0, stderr: '' }

/** The fields of `--json` that the tests read. */
interface Item {
  type: string
  name: string
  value: number | null
  permits: number | null
  free: number | null
  holders: { pid: number; permits: number; command: string | null }[] | null
  unnamed: number | null
  waiters: number
}

/** A command that holds a permit. */
async function holder(t: ExecutionContext, name: string): Promise<Child> {
  const child = start(t, ['run', name, '--', 'sh', '-c', 'echo ready; exec sleep 60'])
  await child.until('ready')
  await until('the shell became sleep', () => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n')
  return child
}

/** The id of a limit in a list. */
function idOf(engine: Engine): string {
  return engine === 'sysv' ? '\\d+' : 'ledger'
}

/** The screen of a terminal, as lines without styles. */
function linesOf(output: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
  return output.replaceAll(/\u001b\[[?\d;]*[A-Za-z]/g, '').split(/\r*\n/)
}

/** The last screen that was drawn. */
function lastFrame(output: string): string[] {
  return linesOf(output.split('\u001b[H').at(-1) ?? '')
}

// --- limit

onEachEngine(linux)(
  'limit shows the number of permits, the number that is free, and the holders of the others',
  async (t, engine) => {
    const name = uniqueName(t)
    const limit = Limit.create(name, { permits: 3, engine })
    t.like(await cli(t, ['limit', name]), {
      ...DONE,
      stdout: `limit    ${name}\npermits  3\nfree     3\nwaiters  0\n`,
    })
    const running = await holder(t, name)
    const [one, two] = [limit.acquireSync(), limit.acquireSync()]
    const { stdout } = await cli(t, ['limit', name.slice(1)])
    const [, ...lines] = stdout.trimEnd().split('\n')
    t.deepEqual(lines.slice(0, 5), ['permits  3', 'free     0', 'waiters  0', '', lines[4]])
    t.regex(lines[4] as string, /^ *HOLDER {2}PERMITS {2}COMMAND$/)
    t.true(
      lines.some(line => new RegExp(`^ *${running.pid} +1  \\S`).test(line)),
      stdout,
    )
    t.true(
      lines.some(line => new RegExp(`^ *${process.pid} +2  node`).test(line)),
      stdout,
    )
    const item = await json<Item>(t, ['limit', name, '--json'])
    t.like(item, { type: 'limit', name, value: null, permits: 3, free: 0, unnamed: 0, waiters: 0 })
    const ours = item.holders?.find(({ pid }) => pid === process.pid)
    t.like(ours, { permits: 2 })
    t.regex(ours?.command ?? '', /^node/)
    one.release()
    two.release()
    running.kill('SIGKILL')
    await running.exit
    await until('no process holds a permit', () => limit.info().holders?.length === 0)
  },
)

onEachEngine()(
  'limit changes the number at once when it grows or enough permits are free',
  async (t, engine) => {
    const name = uniqueName(t)
    const limit = Limit.create(name, { permits: 2, engine })
    t.like(await cli(t, ['limit', name, 5]), { ...DONE, stdout: '' })
    t.like(limit.info(), { permits: 5, free: 5 })
    t.like(await json<Item>(t, ['limit', name, 1, '--json']), { permits: 1, free: 1 })
    t.like(await cli(t, ['limit', name, 0]), DONE)
    t.is(limit.tryAcquire(), null)
    t.regex(
      (await cli(t, ['ls', name])).stdout,
      new RegExp(`^limit +\\S+ +${idOf(engine)} +paused +0 +- `, 'm'),
    )
  },
)

onEachEngine()(
  'limit waits for held permits, and exits with 124 at the number that it reached',
  async (t, engine) => {
    const name = uniqueName(t)
    const limit = Limit.create(name, { permits: 3, engine })
    const [one, two] = [limit.acquireSync(), limit.acquireSync()]
    const late = await cli(t, ['limit', name, 1, '--timeout', '0'])
    t.like(late, { code: 124, stdout: '' })
    t.regex(
      late.stderr,
      new RegExp(
        `^os-ipc: ${name} has 2 permits after 0 s, and not 1; held by ${process.pid} node[^;]* \\(2 permits\\)\\n$`,
      ),
    )
    t.is(limit.permits, 2)
    const waiting = start(t, ['limit', name, 0, '-t', '60'])
    await until('it waits', () => limit.info().waiters === 1)
    one.release()
    await until('it took one away', () => limit.permits === 1 && limit.info().waiters === 1)
    two.release()
    t.like(await waiting.exit, { ...DONE, stdout: '' })
    t.is(limit.permits, 0)
  },
)

test('limit creates nothing, create does, and an existing limit keeps its number', async t => {
  const name = uniqueName(t)
  t.like(await cli(t, ['limit', name, 3]), {
    code: 3,
    stderr: `os-ipc: there is no limit ${name}; os-ipc create ${name} --permits N makes it\n`,
  })
  t.like(
    await json<Item & { created: boolean }>(t, ['create', name, '--permits', 3, '--mode', '640', '--json']),
    {
      ...{ type: 'limit', permits: 3, free: 3, holders: [], created: true, mode: '640' },
    },
  )
  t.like(await cli(t, ['create', name, '-p', 4]), {
    code: 5,
    stderr: `os-ipc: there is a limit ${name} already; --if-absent uses it unchanged; os-ipc rm ${name} removes it\n`,
  })
  t.like(await cli(t, ['create', name, '-p', 4, '--if-absent']), {
    code: 0,
    stderr: `os-ipc: the limit ${name} has 3 permits, and 4 were asked for; os-ipc limit ${name} 4 changes it\n`,
  })
  t.like(await cli(t, ['create', name, '-p', 3, '--if-absent']), DONE)
  t.is(Limit.open(name).permits, 3)
})

test('a wrong command line for a limit gets a message that says what is wrong', async t => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 1 })
  for (const [args, says] of [
    [['limit', name, 'many'], "N needs a whole number from 0 to 32767, not 'many'"],
    [['limit', name, '32768'], "N needs a whole number from 0 to 32767, not '32768'"],
    [['limit', name, '1', '2'], "unexpected argument '2'; os-ipc limit [OPTIONS] NAME [N]"],
    [
      ['create', name, '-n', '1', '-p', '1'],
      'create needs one of --initial N for a semaphore, --permits N for a limit, --size BYTES for memory and --capacity BYTES for a channel',
    ],
    [['create', name, '-p', '1', '--posix'], '--posix is for semaphores only; a limit has no POSIX form'],
  ] as const) {
    t.like(await cli(t, args), { code: 2, stdout: '', stderr: `os-ipc: ${says}\n` })
  }
  t.like(await cli(t, ['limit', `${name}x`]), {
    code: 3,
    stderr: `os-ipc: there is no limit ${name}x; did you mean ${name}?\n`,
  })
})

requires(asUser(65534))(
  "another user's limit is shown to all, and changed where --owner says so",
  async t => {
    const name = uniqueName(t)
    const theirs = { within: [asUser(65534)] }
    t.like(await cli(t, ['create', name, '-p', 2, '--mode', '666'], theirs), DONE)
    t.regex((await cli(t, ['limit', name])).stdout, /^permits {2}2$/m)
    t.like(await cli(t, ['limit', name, 3]), {
      code: 4,
      stderr: `os-ipc: the limit ${name} belongs to another user, nobody (uid 65534); if you trust that user: --owner 65534\n`,
    })
    t.like(await cli(t, ['limit', name, 3, '--owner', 65534]), DONE)
    const mine = uniqueName(t, '-mine')
    Limit.create(mine, { permits: 1 })
    const refused = await cli(t, ['limit', mine], theirs)
    t.is(refused.code, 4)
    t.regex(
      refused.stderr,
      /^os-ipc: no permission for the limit \S+: it belongs to root, and its mode is 600; /,
    )
  },
)

// --- run

onEachEngine()(
  'run names both numbers when the limit has another one, and --quiet hides them',
  async (t, engine) => {
    const name = uniqueName(t)
    Limit.create(name, { permits: 2, engine }).close()
    const run = (...args: (string | number)[]) => cli(t, ['run', name, ...args, '--', 'echo', 'ran'])
    t.like(await run('-n', 2), { ...DONE, stdout: 'ran\n' })
    t.like(await run('-n', 2), DONE)
    t.like(await run(), DONE)
    t.like(await run('-n', 3), {
      ...{ code: 0, stdout: 'ran\n' },
      stderr: `os-ipc: the limit ${name} has 2 permits, and 3 were asked for; os-ipc limit ${name} 3 changes it\n`,
    })
    t.like(await run('-n', 3, '--quiet'), DONE)
    t.is(Limit.open(name).permits, 2)
  },
)

onEachEngine(linux)('the command that runs under a permit is its holder', async (t, engine) => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 1, engine }).close()
  const running = await holder(t, name)
  const { holders } = await json<Item>(t, ['limit', name, '--json'])
  t.deepEqual(holders, [{ pid: running.pid, permits: 1, command: 'sleep' }])
})

onEachEngine(linux)('a command that opens the limit it runs under keeps the permit', async (t, engine) => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 1, engine }).close()
  const index = new URL('../../index.js', import.meta.url).href
  const code = `
const { Limit } = await import('${index}')
const limit = Limit.open('${name}')
const permit = limit.tryAcquire()
const { free, holders } = limit.info()
console.log(JSON.stringify({ second: permit !== null, free, held: holders.map(({ pid, permits }) => [pid === process.pid, permits]) }))`
  for (const how of [[], ['--supervise']]) {
    const ran = await json<object>(t, [
      'run',
      name,
      ...how,
      '--',
      process.execPath,
      '--input-type=module',
      '-e',
      code,
    ])
    t.deepEqual(ran, { second: false, free: 0, held: [[how.length === 0, 1]] }, how.join(' '))
  }
  t.is(Limit.open(name).info().free, 1)
})

onEachEngine(linux)('a command that could not be started gives its permit back', async (t, engine) => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 1, engine }).close()
  const file = `#!/no/such/interpreter\n`
  const script = `printf '${file.replace('\n', '\\n')}' > job; chmod +x job; exec "$@"`
  const folder = program(t, ['sh', '-c', 'mktemp -d'])
  const { stdout } = await folder.exit
  const cwd = stdout.trim()
  t.teardown(() => spawnSync('rm', ['-r', cwd]))
  const { code } = await program(t, [
    'sh',
    '-c',
    `cd ${cwd}; ${script}`,
    'sh',
    ...osIpc('run', name, '--', './job'),
  ]).exit
  t.is(code, 127)
  t.like(Limit.open(name).info(), { free: 1, holders: [] })
})

onEachEngine(linux)('after its timeout run names the holders of the permits', async (t, engine) => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 2, engine })
  const [one, two] = [await holder(t, name), await holder(t, name)]
  const { code, stdout, stderr } = await cli(t, ['run', name, '-t', '0', '--', 'echo', 'ran'])
  t.like({ code, stdout }, { code: 124, stdout: '' })
  const held = [one.pid, two.pid].map(pid => `${pid} sleep`)
  t.true(
    [held, held.toReversed()].some(
      each => stderr === `os-ipc: a permit of ${name} was not free within 0 s; held by ${each.join(', ')}\n`,
    ),
    stderr,
  )
})

requires(privateIpc())(
  'a limit without room for its record brings a warning of one line, also when run becomes its command',
  async t => {
    for (const args of [
      ['create', 'jobs', '--permits', 2],
      ['run', 'jobs', '-n', 2, '--', 'true'],
    ]) {
      const { code, stderr } = await cli(t, args, { within: [privateIpc({ sem: [100, 32_000, 500, 128] })] })
      t.is(code, 0)
      t.regex(stderr, /^os-ipc: the limit \S+ does not carry its name: [^\n]+\n$/)
    }
  },
)

// --- ls, show, top, rm

onEachEngine(linux)('ls, show and find list limits as a separate kind', async (t, engine) => {
  const name = uniqueName(t)
  const limit = Limit.create(name, { permits: 2, engine })
  SharedMemory.create(name, { size: 8 })
  t.regex(
    (await cli(t, ['ls', name])).stdout,
    new RegExp(`^limit +${name} +${idOf(engine)} +0/2 used +0 +- +- +- +\\w+ +600 `, 'm'),
  )
  const [one, two] = [limit.acquireSync(), limit.acquireSync()]
  const { stdout } = await cli(t, ['ls', name])
  t.regex(stdout, /^KIND +NAME +ID +VALUE +WAITERS +HOLDERS +SIZE /)
  t.regex(stdout, new RegExp(`^limit +${name} +${idOf(engine)} +2/2 used +0 +${process.pid} +- `, 'm'))
  t.is((await cli(t, ['ls', '-q', '--limits', name])).stdout, `${name}\n`)
  t.is((await json<Item[]>(t, ['ls', '--limits', name, '--json'])).length, 1)
  for (const kind of ['--semaphores', '--locks']) t.is((await cli(t, ['ls', '-q', kind, name])).stdout, '')
  const shown = await json<Item[]>(t, ['show', name, '--json'])
  t.deepEqual(
    shown.map(({ type }) => type),
    ['limit', 'memory'],
  )
  t.like(shown[0], { permits: 2, free: 0 })
  const text = (await cli(t, ['show', name])).stdout
  t.regex(
    text,
    engine === 'sysv' ? /^ {2}kind +limit, in a System V set$/m : /^ {2}kind +limit, in a ledger$/m,
  )
  t.regex(text, /^ {2}permits +2, 2 of them used$/m)
  t.regex(text, new RegExp(`^  held by +${process.pid} node.* \\(2 permits\\)$`, 'm'))
  one.release()
  two.release()
  t.regex((await cli(t, ['show', name])).stdout, /^ {2}held by +no process$/m)
})

onEachEngine(terminals, linux)('top names the holders of a used-up limit', async (t, engine) => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 2, engine })
  const running = await holder(t, name)
  const other = await holder(t, name)
  const plain = (await cli(t, ['top', name, '-c', 1])).stdout
  t.regex(
    plain,
    new RegExp(
      `^limit +${name} +█{10} 2/2 held by (${running.pid} sleep, ${other.pid}|${other.pid} sleep, ${running.pid}) sleep `,
      'm',
    ),
  )
  t.regex(plain, /^os-ipc top - .*\b\d+ limits?\b/)
  const { output, problem } = await inTerminal(t, osIpc('top', name, '-i', '100ms'), [
    { until: 'held by' },
    { type: 'q' },
  ])
  t.is(problem, null)
  const row = lastFrame(output).find(line => line.includes('2/2')) ?? ''
  t.regex(row, new RegExp(`█{10} 2/2 held by (${running.pid}|${other.pid}) s`))
  running.kill('SIGKILL')
  await running.exit
  await until('one permit is free', () => Limit.open(name).info().free === 1)
  t.regex(
    (await cli(t, ['top', name, '-c', 1])).stdout,
    new RegExp(`█{5}░{5} 1/2 held by ${other.pid} sleep `),
  )
  const frame = await json<{ items: Item[] }>(t, ['top', name, '-c', 1, '--json'])
  t.deepEqual(frame.items[0]?.holders, [{ pid: other.pid, permits: 1, command: 'sleep' }])
})

requires(terminals)(
  'a name of 80 characters hides no column on a terminal, and is complete elsewhere',
  async t => {
    const name = `${uniqueName(t)}-${'long'.repeat(20)}`.slice(0, 80)
    const end = name.slice(-5)
    Limit.create(name, { permits: 2 })
    t.teardown(() => Limit.unlink(name))
    const listed = await inTerminal(t, osIpc('ls', name), [])
    t.is(listed.problem, null)
    const [titles = '', row = ''] = linesOf(listed.output)
    t.regex(titles, /^KIND +NAME +ID +VALUE +WAITERS +HOLDERS +SIZE +ATTACHED +OWNER +MODE +LAST PID +AGE$/)
    t.regex(row, new RegExp(`^limit +${name.slice(0, 6)}.*…\\S*${end} +\\d+ +0/2 used +0 `))
    t.true(row.length <= 100, row)
    const narrow = await inTerminal(t, osIpc('ls', name), [], { columns: 80 })
    const [fewer = '', cut = ''] = linesOf(narrow.output)
    t.regex(fewer, /^KIND +NAME +ID +VALUE +WAITERS +HOLDERS +SIZE\b/)
    t.true(cut.length <= 80, cut)
    const { output, problem } = await inTerminal(t, osIpc('top', name, '-i', '100ms'), [
      { until: '0/2' },
      { type: 'q' },
    ])
    t.is(problem, null)
    const lines = lastFrame(output)
    t.regex(lines[2] as string, /^KIND +NAME +VALUE +WAITERS +OPS\/S▼? +SIZE /)
    t.regex(lines[3] as string, new RegExp(`^limit +${name.slice(0, 6)}.*…\\S*${end} +░{10} 0/2 used +0 `))
    t.true((await cli(t, ['ls', name])).stdout.includes(` ${name} `))
    t.true((await cli(t, ['top', name, '-c', 1])).stdout.includes(` ${name} `))
    t.like((await json<Item[]>(t, ['ls', name, '--json']))[0], { name })
  },
)

onEachEngine(linux)(
  'rm of a limit with held permits needs --force, and names the holders',
  async (t, engine) => {
    const name = uniqueName(t)
    Limit.create(name, { permits: 1, engine }).close()
    const running = await holder(t, name)
    t.like(await cli(t, ['rm', name]), {
      code: 1,
      stderr: `os-ipc: ${name} is in use: its permits are held by ${running.pid} sleep; --force removes it\n`,
    })
    running.kill('SIGKILL')
    await running.exit
    await until('the permit is back', () => Limit.open(name).info().free === 1)
    SharedMemory.create(name, { size: 8 })
    t.like(await cli(t, ['rm', name]), {
      code: 2,
      stderr: `os-ipc: a limit and memory are called ${name}; say which: --semaphore, --posix, --limit, --memory, --channel or --lock\n`,
    })
    t.like(await cli(t, ['rm', '--limit', name]), DONE)
    t.like(await cli(t, ['rm', '--limit', name]), { code: 3 })
    t.is((await cli(t, ['ls', '-q', '--limits', name])).stdout, '')
  },
)

// --- confused kinds

onEachEngine()(
  'every command that gets a limit for a semaphore, or the reverse, names the command to use',
  async (t, engine) => {
    const [limit, semaphore] = [uniqueName(t, '-l'), uniqueName(t, '-s')]
    Limit.create(limit, { permits: 1, engine })
    Semaphore.create(semaphore, { initial: 1 })
    const isLimit = `os-ipc: ${limit} is a limit, and not a semaphore; os-ipc limit ${limit} shows its permits, os-ipc run ${limit} -- COMMAND takes one\n`
    for (const args of [
      ['post'],
      ['wait'],
      ['try'],
      ['value'],
      ['create', '-n', 1],
      ['create', '-n', 1, '--if-absent'],
      ['rm', '--semaphore'],
    ]) {
      const [command = '', ...options] = args
      t.like(
        await cli(t, [command, limit, ...options]),
        { code: 5, stdout: '', stderr: isLimit },
        args.join(' '),
      )
    }
    const isSemaphore = `os-ipc: ${semaphore} is a semaphore, and not a limit; os-ipc value ${semaphore} shows its units; a limit of this name can be made after os-ipc rm ${semaphore}\n`
    for (const args of [
      ['limit'],
      ['limit', 3],
      ['create', '-p', 1],
      ['create', '-p', 1, '--if-absent'],
      ['rm', '--limit'],
    ]) {
      const [command = '', ...options] = args
      t.like(
        await cli(t, [command, semaphore, ...options]),
        { code: 5, stdout: '', stderr: isSemaphore },
        args.join(' '),
      )
    }
    t.like(await cli(t, ['run', semaphore, '--', 'echo', 'ran']), {
      code: 125,
      stdout: '',
      stderr: isSemaphore,
    })
    t.like(await cli(t, ['read', limit]), {
      code: 3,
      stderr: `os-ipc: there is no memory ${limit}; a limit has this name: os-ipc limit ${limit}\n`,
    })
    t.is(Semaphore.open(semaphore).value, 1)
    t.is(Limit.open(limit).info().free, 1)
  },
)

// --- doctor

interface Finding {
  level: string
  topic: string
  text: string
  cures: string[]
}

/** Runs doctor with a clock that is this many hours fast; the objects that it inspects are real. */
async function permitsFound(t: ExecutionContext, name: string, hours = 0): Promise<Finding[]> {
  const fast = `data:text/javascript,const now = Date.now; Date.now = () => now() + ${hours * 3_600_000}`
  const found = await json<Finding[]>(t, ['doctor', '--json'], { nodeArgs: ['--import', fast] })
  return found.filter(({ topic, text }) => topic === 'permits' && text.includes(name))
}

onEachEngine(linux)('doctor reports a permit that has been held for over an hour', async (t, engine) => {
  const name = uniqueName(t)
  const limit = Limit.create(name, { permits: 2, engine })
  t.deepEqual(await permitsFound(t, name, 2), [])
  const running = await holder(t, name)
  t.deepEqual(await permitsFound(t, name), [])
  const [found, ...more] = await permitsFound(t, name, 2)
  t.deepEqual(more, [])
  t.deepEqual(found, {
    level: 'note',
    topic: 'permits',
    text: `${running.pid} sleep has held 1 permit of the limit ${name} for at least 2h: none was ${engine === 'sysv' ? 'taken or given back' : 'taken'} since`,
    cures: [
      `if it hangs: kill -KILL ${running.pid} ends it, and ${engine === 'sysv' ? 'the kernel gives its permits back' : 'its permits come back'}`,
    ],
  })
  running.kill('SIGKILL')
  await running.exit
  await until('the permit is back', () => limit.info().free === 2)
  t.deepEqual(await permitsFound(t, name, 2), [])
})

onEachEngine(linux)(
  'doctor reports a permit that a stopped process holds, and how to continue the process',
  async (t, engine) => {
    const name = uniqueName(t)
    Limit.create(name, { permits: 1, engine })
    const running = await holder(t, name)
    running.kill('SIGSTOP')
    t.teardown(() => running.kill('SIGKILL'))
    await until('it is stopped', async () => (await permitsFound(t, name)).length > 0)
    const [found] = await permitsFound(t, name)
    t.like(found, {
      level: 'note',
      text: `${running.pid} sleep is stopped, and holds 1 permit of the limit ${name}`,
    })
    t.is(found?.cures[0], `kill -CONT ${running.pid} continues it`)
    const { code, stdout } = await cli(t, ['doctor'])
    t.regex(stdout, new RegExp(`^note {5}permits: ${running.pid} sleep is stopped`, 'm'))
    t.is(code, /^(warning|problem)/m.test(stdout) ? 1 : 0)
    running.kill('SIGCONT')
    await until('it goes on', async () => (await permitsFound(t, name)).length === 0)
  },
)
