// A real Redis Cluster on loopback: three masters, and a replica where a test wants one.

import { Cluster as ClusterClient, Redis as Client } from 'ioredis'
import type { ExecutionContext } from 'ava'

import { RedisLimit, type RedisLimitOptions } from '../../../redis.js'
import { uniqueName } from '../../shared/names.ts'
import { RedisServer } from './redis.ts'
import { until } from '../../shared/until.ts'

const SLOTS = 16_384
const MASTERS = 3

/** Milliseconds until a node that does not answer counts as failed. */
const NODE_TIMEOUT = '10000'

const UP_WITHIN = 40_000

/** One node, and a client that asks only this node. */
export interface Node {
  readonly server: RedisServer
  readonly client: Client
  readonly id: string
}

export class RedisCluster {
  readonly masters: readonly Node[]
  readonly name: string
  readonly #t: ExecutionContext

  private constructor(t: ExecutionContext, masters: readonly Node[]) {
    this.#t = t
    this.masters = masters
    this.name = uniqueName(t)
  }

  static async start(t: ExecutionContext, options: { durable: boolean }): Promise<RedisCluster> {
    const masters = await Promise.all(Array.from({ length: MASTERS }, () => startNode(t, options.durable)))
    const cluster = new RedisCluster(t, masters)
    await Promise.all(
      masters.map(({ client }, index) =>
        client.call('CLUSTER', 'ADDSLOTSRANGE', firstSlot(index), firstSlot(index + 1) - 1),
      ),
    )
    for (const { client } of masters) await meet(client, masters[0] as Node)
    await cluster.settle(masters)
    return cluster
  }

  /** Waits until all of these nodes know that all slots are served. */
  async settle(nodes: readonly Node[]): Promise<void> {
    await until(
      'the Cluster is ready',
      async () => {
        const states = await Promise.all(nodes.map(({ client }) => client.cluster('INFO').catch(String)))
        return states.every(
          state => /cluster_state:ok/.test(state) && state.includes(`cluster_known_nodes:${nodes.length}`),
        )
      },
      UP_WITHIN,
    )
  }

  get key(): string {
    return `semaphore:os-ipc:${this.name}`
  }

  async slot(): Promise<number> {
    return Number(await (this.masters[0] as Node).client.cluster('KEYSLOT', this.key))
  }

  /** The master that has the permits when the Cluster starts. */
  async owner(): Promise<Node> {
    const slot = await this.slot()
    return this.masters.findLast((_, index) => firstSlot(index) <= slot) as Node
  }

  /** One of the other masters. */
  async another(): Promise<Node> {
    const owner = await this.owner()
    return this.masters.find(node => node !== owner) as Node
  }

  /** A replica of a master. */
  async replica(master: Node): Promise<Node> {
    const node = await startNode(this.#t, false)
    await meet(node.client, master)
    await this.settle([...this.masters, node])
    await node.client.call('CLUSTER', 'REPLICATE', master.id)
    await until(
      'the replica has a master',
      async () => /master_link_status:up/.test(await node.client.info('replication')),
      UP_WITHIN,
    )
    return node
  }

  /** A separate client, as another process has one. */
  open(options: Partial<RedisLimitOptions> = {}): RedisLimit {
    const client = this.client()
    const source = RedisLimit.over(client, this.name, { permits: 1, lease: 2_000, ...options })
    this.#t.teardown(() => source.close())
    return source
  }

  client(): ClusterClient {
    const nodes = this.masters.map(({ server: { port } }) => ({ host: '127.0.0.1', port }))
    const client = new ClusterClient(nodes, { clusterRetryStrategy: () => 100 })
    client.on('error', () => {})
    this.#t.teardown(() => client.disconnect())
    return client
  }
}

function firstSlot(index: number): number {
  return Math.floor((SLOTS / MASTERS) * index)
}

async function startNode(t: ExecutionContext, durable: boolean): Promise<Node> {
  const settings = {
    'cluster-node-timeout': NODE_TIMEOUT,
    'cluster-require-full-coverage': 'no',
    'cluster-allow-replica-migration': 'no',
  }
  const server = await RedisServer.start(t, { durable, cluster: true, settings })
  const client = directClient(t, server)
  return { server, client, id: String(await client.cluster('MYID')) }
}

function directClient(t: ExecutionContext, server: RedisServer): Client {
  const client = new Client(server.url, { retryStrategy: () => 100 })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

async function meet(client: Client, { server }: Node): Promise<void> {
  await client.call('CLUSTER', 'MEET', '127.0.0.1', server.port)
}
