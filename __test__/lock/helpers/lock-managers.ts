import test from 'ava'

import { PostgresLocks } from '../../../postgres.js'
import pg from 'pg'
import { type Engine, onEveryEngine } from './locks.ts'
import { uniqueName } from '../../shared/names.ts'
import { PostgresServer, postgresKeyOf, postgresServer } from '../../shared/postgres.ts'
import { requires } from '../../shared/requires.ts'

/** Declares the same tests for every engine of this host, and for PostgreSQL. */
export function onEveryManager(declare: (engine: Engine) => void): void {
  onEveryEngine(declare)
  declare(postgresEngine())
}

/** Locks on a server that is started when the first test needs it. */
function postgresEngine(): Engine {
  const needed = requires(postgresServer)
  const ends: (() => void | Promise<void>)[] = []
  test.after.always(async () => {
    for (const end of ends.reverse()) await end()
  })
  let starting: Promise<PostgresServer> | undefined
  const server = () => {
    starting ??= PostgresServer.start({ teardown: end => void ends.push(end) })
    return starting
  }
  const manager = PostgresLocks.connect(async () => new pg.Client((await server()).url))
  if (postgresServer.missing === undefined) test.before(async () => void (await server()))
  ends.unshift(() => manager.close())
  return {
    name: 'postgres',
    test: (title, implementation) => needed(`${title} (postgres)`, implementation),
    manager,
    folder: '',
    lockName: t => uniqueName(t).slice(1),
    isThere: async name => (await server()).hasKey(postgresKeyOf(name)),
  }
}
