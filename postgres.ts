export type {
  PostgresClient,
  PostgresPool,
  PostgresPoolClient,
  PostgresSource,
} from './lib/postgres/client.js'
export type { PostgresLocksOptions } from './lib/postgres/options.js'
export type { PostgresLock, PostgresLockGrantedCallback, PostgresLockOptions } from './lib/postgres/types.js'
export { PostgresLocks } from './lib/postgres/locks.js'
