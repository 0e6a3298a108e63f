//go:build linux

package channel

import (
	"hash/fnv"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// How long a sleeper waits for its unit, in nanoseconds, before it looks by itself: a process may die before it wakes another.
const recheck = 100_000_000

// Takes a lock; false if a living process has it.
func (channel *Channel) take(side *side) bool {
	for spin := 0; spin < 100; spin++ {
		if atomic.CompareAndSwapUint32(side.lock, 0, channel.word) {
			return true
		}
		runtime.Gosched()
	}
	owner := atomic.LoadUint32(side.lock)
	if number := owner & 255; number != 0 {
		slot := &channel.header.slot[number-1]
		identity := atomic.LoadUint64(&slot.identity)
		if atomic.LoadUint32(&slot.generation)&0xffffff == owner>>8 && identity != 0 && !isDead(identity) {
			return false
		}
	}
	return atomic.CompareAndSwapUint32(side.lock, owner, channel.word)
}

func or(word *uint32, bits uint32) {
	for {
		found := atomic.LoadUint32(word)
		if found&bits == bits || atomic.CompareAndSwapUint32(word, found, found|bits) {
			return
		}
	}
}

// Tries until there is another result than errLater.
func (side *side) wait(try func() error) error {
	defer side.getUp()
	for {
		if err := try(); err != errLater {
			return err
		}
		if !side.counted {
			// Counted first and tried again: what came in between woke nobody.
			atomic.AddUint32(side.asleep, 1)
			side.counted = true
			continue
		}
		operation := struct{ number, operation, flags int16 }{0, -1, 0}
		limit := unix.NsecToTimespec(recheck)
		_, _, errno := unix.Syscall6(unix.SYS_SEMTIMEDOP, side.set, uintptr(unsafe.Pointer(&operation)), 1,
			uintptr(unsafe.Pointer(&limit)), 0, 0)
		switch errno {
		case 0:
			side.counted = false // the process that posted has counted down
		case unix.EAGAIN, unix.EINTR:
		case unix.EIDRM, unix.EINVAL:
			return ErrRemoved
		default:
			return errno
		}
	}
}

func (side *side) getUp() {
	if side.counted {
		side.countDown()
	}
	side.counted = false
}

// Wakes one sleeper; false if there is none.
func (side *side) wake() bool {
	if !side.countDown() {
		return false
	}
	operation := struct{ number, operation, flags int16 }{0, 1, 0}
	_, _, errno := unix.Syscall(unix.SYS_SEMOP, side.set, uintptr(unsafe.Pointer(&operation)), 1)
	return errno == 0
}

func (side *side) countDown() bool {
	for {
		number := atomic.LoadUint32(side.asleep)
		if number == 0 {
			return false
		}
		if atomic.CompareAndSwapUint32(side.asleep, number, number-1) {
			return true
		}
	}
}

// The System V semaphore of a name.
func set(name string) (uintptr, error) {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	set, _, errno := unix.Syscall(unix.SYS_SEMGET, uintptr(int32(hash.Sum32())), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return set, nil
}
