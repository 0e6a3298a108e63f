/** One system call that fails in one way during one call of the package. */
export interface Case {
  /** The call: the kind of object, and the method. */
  readonly act: string
  readonly call: string
  readonly errno: string
  /** Injects only into calls on this path; NAME stands for the object's name, LEDGER for its file as a ledger. */
  readonly path?: string
  /** The codes that the package may throw instead of the errno itself; `'done'` when the call may succeed. */
  readonly gives?: readonly string[]
}

/** The ERRORS of man 2. */
const ERRORS: Record<string, string> = {
  semget: 'EACCES EEXIST EINVAL ENOENT ENOMEM ENOSPC',
  semop: 'E2BIG EACCES EAGAIN EFAULT EFBIG EIDRM EINTR EINVAL ENOMEM ERANGE',
  semctl: 'EACCES EFAULT EIDRM EINVAL EPERM ERANGE',
  shmget: 'EACCES EEXIST EINVAL ENFILE ENOENT ENOMEM ENOSPC EPERM',
  shmat: 'EACCES EIDRM EINVAL ENOMEM',
  shmctl: 'EACCES EFAULT EIDRM EINVAL ENOMEM EOVERFLOW EPERM',
  openat:
    'EACCES EBUSY EDQUOT EEXIST EFAULT EFBIG EINTR EINVAL EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENODEV ENOENT ENOMEM ENOSPC ENOTDIR ENXIO EOPNOTSUPP EOVERFLOW EPERM EROFS ETXTBSY',
  mmap: 'EACCES EAGAIN EBADF EEXIST EINVAL ENFILE ENODEV ENOMEM EOVERFLOW EPERM ETXTBSY',
  fallocate: 'EBADF EFBIG EINTR EINVAL EIO ENODEV ENOSPC EOPNOTSUPP EPERM ESPIPE ETXTBSY',
  linkat:
    'EACCES EDQUOT EEXIST EINVAL EIO ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS EXDEV',
  link: 'EACCES EDQUOT EEXIST EIO ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS EXDEV',
  chmod: 'EACCES EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS',
  fchmod: 'EBADF EIO ENOENT ENOMEM EPERM EROFS',
  ftruncate: 'EBADF EFBIG EINTR EINVAL EIO EPERM ETXTBSY',
  flock: 'EAGAIN EBADF EINTR EINVAL ENOLCK',
  unlink: 'EACCES EBUSY EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS',
  unlinkat: 'EACCES EBUSY EINVAL EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS',
}

/** The codes that the package throws for an errno, where they differ from it. */
type Meanings = Record<string, readonly string[]>

/** A removed set is EINVAL for a later call. */
const REMOVED: Meanings = { EINVAL: ['EIDRM'], EINTR: ['done'] }
/** A set without room for the name of its lock does not count as a lock. */
const TOO_SMALL: Meanings = { E2BIG: ['ERR_NOT_SUPPORTED'] }
/** Where these calls are refused, locks are files. */
const FILES: Meanings = { EACCES: ['done'], EPERM: ['done'] }
const COMES_AND_GOES = ['EEXIST', 'ENOENT', 'ERR_NOT_INITIALISED', 'EIDRM', 'EAGAIN'] as const

/** A set that is removed before it is finished. */
const VANISHES: Meanings = {
  ...REMOVED,
  EINVAL: COMES_AND_GOES,
  EIDRM: COMES_AND_GOES,
  EAGAIN: COMES_AND_GOES,
}

const SHM = '/dev/shm/NAME'
const LEDGER = 'LEDGER'

export const CASES: readonly Case[] = [
  ...all('sysv create', 'semget', {}),
  ...all('sysv open', 'semget', {}),
  ...all('sysv openOrCreate', 'semget', { EEXIST: COMES_AND_GOES, ENOENT: COMES_AND_GOES }),
  ...all('sysv remove', 'semget', { ENOENT: ['done'] }),
  ...all('sysv create', 'semop', { ...REMOVED, EAGAIN: ['EEXIST'] }),
  ...all('sysv post', 'semop', REMOVED),
  ...all('sysv tryWait', 'semop', { ...REMOVED, EAGAIN: ['done'] }),
  ...all('sysv wait', 'semop', { ...REMOVED, EINTR: ['ETIMEDOUT'] }),
  ...all('sysv waitSync', 'semop', { ...REMOVED, EAGAIN: ['ETIMEDOUT'] }),
  ...all('limit create', 'semget', {}),
  ...all('limit create', 'semop', { ...REMOVED, EAGAIN: ['EEXIST'] }),
  ...all('limit open', 'semget', {}),
  ...all('limit open', 'semctl', { EIDRM: COMES_AND_GOES, EINVAL: COMES_AND_GOES }),
  ...all('limit make', 'semget', {}),
  ...all('limit make', 'semop', { ...VANISHES, EAGAIN: [...COMES_AND_GOES, 'done'] }),
  ...all('limit acquire', 'semop', { ...REMOVED, EAGAIN: ['done'] }),
  ...all('limit tryAcquire', 'semop', { ...REMOVED, EAGAIN: ['done'] }),
  ...all('limit wait', 'semop', { ...REMOVED, EINTR: ['ETIMEDOUT'], EAGAIN: ['ETIMEDOUT'] }),
  ...all('limit grow', 'semop', { ...REMOVED, EAGAIN: ['done'] }),
  ...all('limit shrink', 'semop', { ...REMOVED, EAGAIN: ['done'] }),
  ...all('limit permits', 'semctl', REMOVED),
  ...all('limit info', 'semctl', REMOVED),
  ...all('limit remove', 'semctl', { EIDRM: ['done'], EINVAL: ['done'] }),
  // Where the file system has no O_TMPFILE, the file has another name first.
  ...all(
    'ledger create',
    'openat',
    { EINTR: ['done'], EOPNOTSUPP: ['done'], EISDIR: ['done'], ENOENT: ['done'], EINVAL: ['done'] },
    '/dev/shm',
  ),
  ...all('ledger create', 'ftruncate', { EINTR: ['done'] }),
  ...all('ledger create', 'fallocate', { EINTR: ['done'], EOPNOTSUPP: ['EOPNOTSUPP', 'done'] }),
  ...all('ledger create', 'fchmod', {}),
  ...all('ledger create', 'linkat', { ENOENT: ['done', 'ENOENT'] }),
  ...all(
    'ledger open',
    'openat',
    {
      EINTR: ['done'],
      ELOOP: ['ERR_NOT_AN_OBJECT'],
      EISDIR: ['ERR_NOT_AN_OBJECT'],
      ENXIO: ['ERR_NOT_AN_OBJECT'],
    },
    LEDGER,
  ),
  ...all('ledger open', 'mmap', {}, LEDGER),
  // Who does not get the guard waits for it.
  ...all('ledger acquire', 'flock', { EINTR: ['done'], EAGAIN: ['ETIMEDOUT'] }),
  ...all('ledger tryAcquire', 'flock', { EINTR: ['done'], EAGAIN: ['done'] }),
  ...all('ledger wait', 'flock', { EINTR: ['ETIMEDOUT'], EAGAIN: ['ETIMEDOUT'] }),
  ...all('ledger grow', 'flock', { EINTR: ['done'], EAGAIN: ['EBUSY'] }),
  ...all('ledger shrink', 'flock', { EINTR: ['done'], EAGAIN: ['ETIMEDOUT'] }),
  ...all('ledger remove', 'flock', { EINTR: ['done'], EAGAIN: ['EBUSY'] }),
  // A set that vanishes at each look counts as a set that comes and goes.
  ...all('sysv open', 'semctl', { EIDRM: COMES_AND_GOES, EINVAL: COMES_AND_GOES }),
  ...all('sysv value', 'semctl', REMOVED),
  ...all('sysv info', 'semctl', REMOVED),
  ...all('sysv remove', 'semctl', { EIDRM: ['done'], EINVAL: ['done'] }),
  // openOrCreate of a missing object.
  ...all('sysv make', 'semop', VANISHES),
  ...all('posix open', 'openat', { EINTR: ['done'] }, '/dev/shm/sem.NAME'),
  ...all('posix open', 'mmap', {}, '/dev/shm/sem.NAME'),
  ...all('posix create', 'link', {}),
  // The umask cleared bits of the mode; a memory object without its name belongs to no one.
  ...all('posix create', 'chmod', { ENOENT: ['done'] }),
  // The C library turns EPERM into EACCES.
  ...all('posix remove', 'unlink', { ENOENT: ['done'], EPERM: ['EACCES'] }, '/dev/shm/sem.NAME'),
  ...all(
    'memory create',
    'openat',
    { EINTR: ['done'], EOPNOTSUPP: ['done'], EISDIR: ['done'], ENOENT: ['done'] },
    '/dev/shm',
  ),
  ...all(
    'memory open',
    'openat',
    {
      EINTR: ['done'],
      ELOOP: ['ERR_NOT_AN_OBJECT'],
      EISDIR: ['ERR_NOT_AN_OBJECT'],
      ENXIO: ['ERR_NOT_AN_OBJECT'],
    },
    SHM,
  ),
  ...all('memory open', 'mmap', {}, SHM),
  ...all('memory create', 'fallocate', { EINTR: ['done'], EOPNOTSUPP: ['EOPNOTSUPP', 'done'] }),
  ...all('memory create', 'fchmod', {}),
  ...all('memory create', 'ftruncate', { EINTR: ['done'] }),
  ...all('memory create', 'linkat', { ENOENT: ['done'] }),
  ...all('memory remove', 'unlinkat', { ENOENT: ['done'] }, SHM),
  ...all('segment create', 'shmget', {}),
  ...all('segment open', 'shmget', {}),
  ...all('segment openOrCreate', 'shmget', { EEXIST: COMES_AND_GOES, ENOENT: COMES_AND_GOES }),
  ...all('segment create', 'shmat', { EINVAL: ['EIDRM'] }),
  ...all('segment open', 'shmat', { EINVAL: ['ENOENT'], EIDRM: ['ENOENT'] }),
  ...all('segment attach', 'shmat', { EINVAL: ['EIDRM'] }),
  ...all('segment open', 'shmctl', { EINVAL: ['ENOENT'], EIDRM: ['ENOENT'] }),
  ...all('segment attach', 'shmctl', {}),
  ...all('segment remove', 'shmctl', { EINVAL: ['done'], EIDRM: ['done'] }),
  // A free lock; then a lock that another holder shares, and one that another holds exclusively.
  ...all('lock request', 'semget', FILES),
  ...all('lock request', 'semop', { ...FILES, ...REMOVED, ...TOO_SMALL }),
  ...all('lock share', 'semget', FILES),
  ...all('lock share', 'semctl', { ...FILES, ...REMOVED }),
  ...all('lock share', 'semop', { ...FILES, ...REMOVED }),
  ...all('lock wait', 'semop', { ...FILES, ...REMOVED, EINTR: ['ETIMEDOUT'] }),
  // A removed object is not listed.
  ...all('lock query', 'semctl', { ...FILES, EIDRM: ['done'], EINVAL: ['done'] }),
]

function all(act: string, call: string, meanings: Meanings, path?: string): Case[] {
  return (ERRORS[call] ?? '').split(' ').map(errno => ({
    act,
    call,
    errno,
    ...(path !== undefined && { path }),
    ...(meanings[errno] !== undefined && { gives: meanings[errno] }),
  }))
}
