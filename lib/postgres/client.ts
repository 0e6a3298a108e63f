/** The part of a `Client` of the package pg that is used here. */
export interface PostgresClient {
  connect(): Promise<unknown>
  query(query: PostgresQuery): Promise<unknown>
  end(): Promise<void>
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown
}

/** The part of a pool's client that is used here. */
export interface PostgresPoolClient {
  query(query: PostgresQuery): Promise<unknown>
  release(destroy?: boolean): void
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown
}

/** The part of a `Pool` of the package pg that is used here. */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>
  readonly options?: { readonly max?: number | undefined }
}

/** A statement, in the format of pg. */
export interface PostgresQuery {
  text: string
  values: string[]
  rowMode: 'array'
  name?: string
}

/**
 * The source of the connections: a connection string, a `Pool` of the package pg, or a function that makes a `Client` of pg
 * that is not connected yet.
 */
export type PostgresSource = string | PostgresPool | (() => PostgresClient | Promise<PostgresClient>)

/** The parts of a client of pg that its types lack, or that only one of the two kinds has. */
export interface AnyClient extends Omit<PostgresPoolClient, 'release'> {
  connect?(): Promise<unknown>
  end?(): Promise<void>
  release?: (destroy?: boolean) => void
  ref?(): void
  unref?(): void
  processID?: number | null
  connection?: { stream?: { destroy?(): void } }
  connectionParameters?: { query_timeout?: number | false }
}

export function isPool(value: unknown): value is PostgresPool {
  return typeof value === 'object' && value !== null && 'connect' in value && 'idleCount' in value
}
