// The reasons why a peer takes no part, where one reason holds in several scenes.

import { cannot } from './contenders.mjs'

export const inProcess = cannot('works inside one process only')
export const onlyMemory = cannot('has memory and no semaphores')
export const onlyLocks = cannot('has locks of files and no memory')
export const noUnits = cannot('a lock has an owner: no other process can release it')
export const carriesBytes = cannot('carries bytes; a counter would need a server')
export const noPosixInGo = cannot('sem_open is the C library; the Go library has none')
export const notInSysv = cannot('has System V only')
export const notInPosix = cannot('has POSIX only')
export const blocks = cannot('has no promises: a wait blocks its thread')
