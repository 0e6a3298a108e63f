import { IpcError, wrongType, wrongValue } from '../errors.js'
import { withResolvers } from '../promises.js'
import { type AnyClient, isPool, type PostgresSource } from './client.js'
import { isServerError, messageOf, unavailable } from './failures.js'
import { skipForgottenFences } from './fence.js'
import { APPLICATION } from './label.js'
import type { Settings } from './options.js'
import { Client } from './peers.js'
import { type Row, Session } from './session.js'

/** The most milliseconds that a connection may take to be ready. */
const CONNECT_WITHIN = 10_000

/** `server_version_num` of PostgreSQL 14, the first with `client_connection_check_interval`. */
const OLDEST = 140_000

/** Makes clients that are not connected yet, or come from a pool. */
export type OpenClient = () => Promise<AnyClient>

/** The function that gets a client from the user's source. */
export function opener(source: PostgresSource): OpenClient {
  if (typeof source === 'string') {
    const make = () => new Client({ connectionString: source, connectionTimeoutMillis: CONNECT_WITHIN })
    try {
      make()
    } catch (error) {
      throw wrongValue(`the connection string of PostgreSQL cannot be read: ${messageOf(error)}`)
    }
    return () => connected(make() as unknown as AnyClient)
  }
  if (typeof source === 'function') return async () => connected((await source()) as AnyClient)
  if (isPool(source)) return async () => source.connect()
  throw wrongType(
    'source',
    'a connection string, a Pool of pg, or a function that makes a Client of pg',
    source,
  )
}

async function connected(client: AnyClient): Promise<AnyClient> {
  // A client that fails while it connects also emits its error; without a listener, that ends the process.
  client.on('error', () => {})
  await client.connect?.()
  return client
}

/** Opens a session and prepares it for locks. */
export async function openSession(open: OpenClient, settings: Settings): Promise<Session> {
  const { promise: late, reject } = withResolvers<never>()
  const timer = setTimeout(
    () => reject(unavailable(`no connection within ${CONNECT_WITHIN} ms`)),
    CONNECT_WITHIN,
  )
  const opening = open()
  try {
    const client = await Promise.race([opening, late])
    try {
      return await Promise.race([prepare(client, settings, open), late])
    } catch (error) {
      discard(client)
      throw error
    }
  } catch (error) {
    opening.then(discard, () => {})
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function discard(client: AnyClient): void {
  if (client.release !== undefined) client.release(true)
  else client.connection?.stream?.destroy?.()
}

async function prepare(client: AnyClient, settings: Settings, open: OpenClient): Promise<Session> {
  const ask = (text: string) => askClient(client, text)
  const [pid, version, isReplica] = await ask(
    `/*os-ipc */select pg_catalog.pg_backend_pid(), current_setting('server_version_num')::int,
      pg_catalog.pg_is_in_recovery()`,
  )
  if (Number(version) < OLDEST) {
    throw new IpcError('ERR_NOT_SUPPORTED', `os-ipc/postgres needs PostgreSQL 14 or later, not ${version}`)
  }
  if (isReplica === true) throw unavailable('this server is a replica, and a replica has separate locks')
  await checkPooler(client, Number(pid), settings, open)
  await set(ask, settings)
  await skipForgottenFences(ask)
  return new Session(client, Number(pid), settings.deadAfter)
}

/**
 * A pooler makes up the process number that it tells a client at the connection. A pooler in transaction mode changes the
 * session between two statements, and the locks stay in a session that goes to other clients.
 */
async function checkPooler(
  client: AnyClient,
  pid: number,
  { allowsPooler }: Settings,
  open: OpenClient,
): Promise<void> {
  if (client.processID === pid || client.processID == null) return
  if (!allowsPooler) {
    throw new IpcError(
      'ERR_NOT_SUPPORTED',
      'a connection pooler is between this process and PostgreSQL: in transaction mode it loses locks without an error',
      {
        hint: "connect to PostgreSQL itself; or, if the pooler pools by session, pass { pooler: 'session' }",
      },
    )
  }
  // While this client is silent, a pooler in transaction mode gives its session to the next client that asks.
  const other = await open()
  try {
    const [theirs] = await askClient(other, '/*os-ipc */select pg_catalog.pg_backend_pid()')
    const [ours] = await askClient(client, '/*os-ipc */select pg_catalog.pg_backend_pid()')
    if (theirs === pid || ours !== pid) throw poolsByTransaction()
  } finally {
    discard(other)
  }
}

async function askClient(client: AnyClient, text: string): Promise<Row> {
  const answer = await client.query({ text, values: [], rowMode: 'array' })
  return (answer as { rows: Row[] }).rows[0] ?? []
}

function poolsByTransaction(): IpcError {
  return new IpcError('ERR_NOT_SUPPORTED', 'the connection pooler does not pool by session: it loses locks', {
    hint: 'connect to PostgreSQL itself, or set pool_mode = session',
  })
}

/**
 * The statements of this package have no time limit, because a wait may be long. The other settings make the server notice a
 * dead peer: with `tcp_user_timeout`, a host that does not answer keepalive probes for `deadAfter` counts as dead.
 */
async function set(ask: (text: string) => Promise<Row>, { deadAfter }: Settings): Promise<void> {
  const seconds = deadAfter / 1_000
  const idle = Math.max(Math.floor(seconds / 3), 1)
  const interval = Math.max(Math.floor(seconds / 8), 1)
  const values: Record<string, string> = {
    application_name: APPLICATION,
    statement_timeout: '0',
    lock_timeout: '0',
    idle_session_timeout: '0',
    transaction_timeout: '0',
    idle_in_transaction_session_timeout: '0',
    default_transaction_isolation: 'read committed',
    tcp_keepalives_idle: `${idle}`,
    tcp_keepalives_interval: `${interval}`,
    // Where the server has no `tcp_user_timeout`, the probes alone take at least as long.
    tcp_keepalives_count: `${Math.ceil((seconds - idle) / interval) + 1}`,
    tcp_user_timeout: `${deadAfter}`,
    client_connection_check_interval: `${Math.min(Math.floor(deadAfter / 8), 1_000)}`,
  }
  try {
    await ask(setAll(values))
  } catch (error) {
    // 22023: the server's system cannot check whether a client is still there while a statement runs.
    if (!isServerError(error) || error.code !== '22023') throw error
    const { client_connection_check_interval: _, ...others } = values
    await ask(setAll(others))
  }
}

/** Sets only the values that this version of the server knows. */
function setAll(values: Record<string, string>): string {
  const rows = Object.entries(values).map(([name, value]) => `('${name}', '${value.replaceAll("'", "''")}')`)
  return `/*os-ipc */select pg_catalog.count(pg_catalog.set_config(v.name, v.value, false))
    from (values ${rows.join(', ')}) v(name, value)
    where exists (select from pg_catalog.pg_settings s where s.name = v.name)`
}
