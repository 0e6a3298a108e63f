// A host that vanishes: neither the server nor the host gets a message about it.

import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ExecutionContext } from 'ava'

import { child } from '../shared/child.ts'
import { all, linux, probe, root, tool } from '../shared/needs.ts'
import { PostgresServer, postgresServer } from '../shared/postgres.ts'
import { requires } from '../shared/requires.ts'
import type { Surroundings } from '../shared/surroundings.ts'

const DEAD_AFTER = 3_000

const namespaces = all(
  linux,
  root,
  tool('ip', 'iproute2'),
  probe('needs network namespaces: ip netns add', () => {
    const name = `os-ipc-probe-${process.pid}`
    return ip('netns', 'add', name) && ip('netns', 'del', name)
  }),
)

function ip(...args: string[]): boolean {
  return spawnSync('ip', args).status === 0
}

/** A network of two hosts, each a namespace: the server's and the client's. */
function network(t: ExecutionContext) {
  const names = { server: `os-ipc-s-${process.pid}`, client: `os-ipc-c-${process.pid}` }
  const [near, far] = [`oss${process.pid % 1e5}`, `osc${process.pid % 1e5}`]
  t.teardown(() => {
    for (const name of Object.values(names)) ip('netns', 'del', name)
  })
  const done = [
    ip('netns', 'add', names.server),
    ip('netns', 'add', names.client),
    ip(
      'link',
      'add',
      near,
      'netns',
      names.server,
      'type',
      'veth',
      'peer',
      'name',
      far,
      'netns',
      names.client,
    ),
    ip('-n', names.server, 'addr', 'add', '10.77.0.1/24', 'dev', near),
    ip('-n', names.client, 'addr', 'add', '10.77.0.2/24', 'dev', far),
    ...[
      [names.server, near],
      [names.client, far],
    ].flatMap(([name = '', device = '']) => [
      ip('-n', name, 'link', 'set', 'lo', 'up'),
      ip('-n', name, 'link', 'set', device, 'up'),
    ]),
  ]
  t.true(done.every(Boolean), 'a network of two hosts')
  const on = (name: string): Surroundings => ({
    missing: undefined,
    wrap: argv => ['ip', 'netns', 'exec', name, ...argv],
  })
  return {
    server: on(names.server),
    client: on(names.client),
    /** From now on, packets are lost in both directions. */
    cut: () =>
      ip('-n', names.client, 'route', 'flush', 'dev', far) &&
      ip('-n', names.client, 'neigh', 'flush', 'all') &&
      blackhole(names, near),
  }
}

/** Removes the way back: the client's packets arrive, and no answer does, as behind a router that forgot the connection. */
function blackhole({ server, client }: { server: string; client: string }, near: string): boolean {
  return (
    ip('-n', client, 'route', 'add', 'blackhole', '10.77.0.0/24') &&
    ip('-n', server, 'route', 'flush', 'dev', near) &&
    ip('-n', server, 'route', 'add', 'blackhole', '10.77.0.2/32')
  )
}

for (const how of ['unplugged', 'unroutable'] as const) {
  requires(postgresServer, namespaces).serial(
    `a host that is ${how} loses its lock before another one has it`,
    async t => {
      const hosts = network(t)
      const server = await PostgresServer.start(t, { address: '10.77.0.1', within: hosts.server.wrap([]) })
      const start = (host: Surroundings) =>
        child(t, 'postgres/time.ts', { args: [server.url, DEAD_AFTER], within: [host], limit: 90_000 })
      const holder = start(hosts.client)
      t.like(await holder.next(), { held: true })
      const waiter = start(hosts.server)
      await sleep(500)
      if (how === 'unplugged')
        t.true(ip('-n', `os-ipc-c-${process.pid}`, 'link', 'set', `osc${process.pid % 1e5}`, 'down'))
      else t.true(hosts.cut())
      const cut = Date.now()
      const [held, granted] = (await Promise.all([holder.next(), waiter.next()])) as [
        { last: number },
        { held: true; at: number },
      ]
      t.true(
        held.last <= granted.at,
        `held until ${held.last - cut} ms after the cut, granted ${granted.at - cut} ms after it`,
      )
      t.log(
        `deadAfter ${DEAD_AFTER} ms: held for ${held.last - cut} ms, granted after ${granted.at - cut} ms`,
      )
      waiter.send('end')
      await waiter.exit
    },
  )
}
