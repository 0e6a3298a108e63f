export * from './postgres.cjs'
