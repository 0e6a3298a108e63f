import { cannot } from '../shared/contenders.mjs'
import { withPostgres } from '../shared/postgres.mjs'
import { onlyMemory } from '../shared/reasons.mjs'
import { extra, reported } from '../shared/targets.mjs'

const oneMachine = cannot('works on one machine only')

async function ours({ url, object, atTheEnd }) {
  const { PostgresLocks } = await import('../../postgres.js')
  const locks = PostgresLocks.connect(url)
  atTheEnd(() => locks.close())
  return async count => {
    for (let index = 0; index < count; index += 1) await locks.request(object, () => {})
  }
}

/** The code written by hand: a lock without an order, a signal or a fence. */
async function bare({ url, atTheEnd }) {
  const { default: pg } = await import('pg')
  const client = new pg.Client(url)
  await client.connect()
  atTheEnd(() => client.end())
  return async count => {
    for (let index = 0; index < count; index += 1) {
      await client.query('select pg_advisory_lock($1)', [4711])
      await client.query('select pg_advisory_unlock($1)', [4711])
    }
  }
}

/** Both halves in one process and on one server: a disturbance of one disturbs the other. */
async function sideBySide(context) {
  const halves = [await ours(context), await bare(context)]
  let turn = 0
  return async count => {
    const half = Math.ceil(count / 2)
    const times = []
    turn = 1 - turn
    for (const which of [turn, 1 - turn]) {
      const start = performance.now()
      await halves[which](half)
      times[which] = performance.now() - start
    }
    return { [RATIO]: times[0] / times[1] }
  }
}

const RATIO = 'os-ipc / pg'
const SIDE_BY_SIDE = 'os-ipc and pg in turn'

export const scene = {
  name: 'postgres',
  title: 'Locks on PostgreSQL: request + release, uncontended, over loopback',
  operation: 'a pair',
  rounds: 100,
  contenders: {
    'os-ipc': withPostgres(ours),
    pg: withPostgres(bare),
    [SIDE_BY_SIDE]: withPostgres(sideBySide),
    'fs-ext': oneMachine,
    'os-lock': oneMachine,
    'proper-lockfile': oneMachine,
    'Python sysv_ipc': oneMachine,
    'Python posix_ipc': oneMachine,
    Go: oneMachine,
    'async-mutex': oneMachine,
    'shm-typed-array': onlyMemory,
    'Unix socket': oneMachine,
    'process.send': oneMachine,
  },
  targets: reported(extra(SIDE_BY_SIDE, RATIO, 1.15)),
}
