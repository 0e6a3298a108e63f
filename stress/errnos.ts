/** One system call that fails in one way, while one function of ours is called. */
export interface Case {
  /** What is called: the kind of object, and the method. */
  readonly act: string
  readonly call: string
  readonly errno: string
  /** Only where the call has to do with this path; NAME is the object's. */
  readonly path?: string
  /** The codes that may come out, where it is not the errno itself; `'done'` when it is no failure to us. */
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
  unlink: 'EACCES EBUSY EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS',
  unlinkat: 'EACCES EBUSY EINVAL EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS',
}

/** What an errno stands for, where it is not what comes out. */
type Meanings = Record<string, readonly string[]>

/** A set that is gone is EINVAL to a call that comes later. */
const REMOVED: Meanings = { EINVAL: ['EIDRM'], EINTR: ['done'] }
/** A set that cannot hold the name of its lock is none. */
const TOO_SMALL: Meanings = { E2BIG: ['ERR_NOT_SUPPORTED'] }
/** Where these calls are refused, locks are files. */
const FILES: Meanings = { EACCES: ['done'], EPERM: ['done'] }
const COMES_AND_GOES = ['EEXIST', 'ENOENT', 'ERR_NOT_INITIALISED', 'EIDRM', 'EAGAIN'] as const

/** A set that is gone by the time that it is finished. */
const VANISHES: Meanings = {
  ...REMOVED,
  EINVAL: COMES_AND_GOES,
  EIDRM: COMES_AND_GOES,
  EAGAIN: COMES_AND_GOES,
}

const SHM = '/dev/shm/NAME'

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
  // A set that vanishes whenever it is looked at comes and goes.
  ...all('sysv open', 'semctl', { EIDRM: COMES_AND_GOES, EINVAL: COMES_AND_GOES }),
  ...all('sysv value', 'semctl', REMOVED),
  ...all('sysv info', 'semctl', REMOVED),
  ...all('sysv remove', 'semctl', { EIDRM: ['done'], EINVAL: ['done'] }),
  // openOrCreate where nothing is.
  ...all('sysv make', 'semop', VANISHES),
  ...all('posix open', 'openat', { EINTR: ['done'] }, '/dev/shm/sem.NAME'),
  ...all('posix open', 'mmap', {}, '/dev/shm/sem.NAME'),
  ...all('posix create', 'link', {}),
  // Its mode is one that the umask took something from; without its name it is nobody's.
  ...all('posix create', 'chmod', { ENOENT: ['done'] }),
  // The C library says EACCES for EPERM.
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
  // Where nothing is; then beside another one who shares it, and behind one who has it alone.
  ...all('lock request', 'semget', FILES),
  ...all('lock request', 'semop', { ...FILES, ...REMOVED, ...TOO_SMALL }),
  ...all('lock share', 'semget', FILES),
  ...all('lock share', 'semctl', { ...FILES, ...REMOVED }),
  ...all('lock share', 'semop', { ...FILES, ...REMOVED }),
  ...all('lock wait', 'semop', { ...FILES, ...REMOVED, EINTR: ['ETIMEDOUT'] }),
  // What is gone is not listed.
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
