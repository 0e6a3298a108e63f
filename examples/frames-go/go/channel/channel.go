//go:build linux

// Package channel sends and receives messages through a channel of os-ipc, by the layout of docs/interop.md.
package channel

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kinds of messages. Programs can use kinds from 256 on among themselves.
const (
	Bytes      = 1
	JSON       = 2
	Structured = 3
	Text       = 4
	Uint8Array = 5
	ASCIIText  = 6
	ASCIIJSON  = 7
)

// The errors of Send and Receive.
var (
	ErrEnded    = errors.New("the channel has ended")
	ErrRemoved  = errors.New("the channel was removed")
	ErrCorrupt  = errors.New("the channel is corrupt")
	ErrTooLarge = errors.New("the message is longer than half the channel")
	ErrNoSlot   = errors.New("the channel is open 255 times")
)

var errLater = errors.New("not now")

const (
	magic   = 0x6e68436f
	version = 1
	size    = 8192
	slots   = 255
)

const (
	ended   = 1
	removed = 2
	corrupt = 4
)

// The bits of a role.
const (
	sends    = 1
	receives = 2
)

// A slot of the channel: one open handle.
type slot struct {
	identity   uint64
	generation uint32
	role       uint32
}

// The header, as it lies in memory.
type header struct {
	magic, version, header, capacity, slots, codec uint32
	instance, creator                              uint64
	namespace, nameLength, mode, backend           uint32
	_                                              [2]uint32
	end                                            int32
	sendLock, sent                                 uint32
	_                                              [13]uint32
	begin                                          int32
	receiveLock, received                          uint32
	_                                              [13]uint32
	receiversAsleep, sendersAsleep, state          uint32
	_                                              [13]uint32
	name                                           [3840]byte
	slot                                           [slots]slot
}

// A Channel is one open handle. One goroutine at a time may send, and one may receive.
type Channel struct {
	memory             []byte
	header             *header
	ring               []byte
	units              int32
	slot               *slot
	word               uint32
	senders, receivers side
}

// A side has a lock, the number of its sleepers, and the set that wakes them.
type side struct {
	lock, asleep *uint32
	set          uintptr
	counted      bool // this handle is in the number of sleepers
}

// Open opens a channel that a program of os-ipc has made.
func Open(name string) (*Channel, error) {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	hash := fnv.New64a()
	hash.Write([]byte(name))
	path := fmt.Sprintf("/dev/shm/os-ipc.ch.%016x", hash.Sum64())
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if about.Size() < size {
		return nil, ErrCorrupt
	}
	memory, err := unix.Mmap(int(file.Fd()), 0, int(about.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	channel := &Channel{memory: memory, header: (*header)(unsafe.Pointer(&memory[0]))}
	if err = channel.check(name); err == nil {
		hash.Write(memory[24:32]) // the instance
		err = channel.start(hash.Sum64())
	}
	if err != nil {
		unix.Munmap(memory)
		return nil, err
	}
	return channel, nil
}

func (channel *Channel) check(name string) error {
	head := channel.header
	if atomic.LoadUint32(&head.magic) != magic {
		return errors.New("the channel is not finished")
	}
	if head.version != version || head.backend != 1 {
		return fmt.Errorf("the channel has layout %d and backend %d", head.version, head.backend)
	}
	capacity := head.capacity
	if head.header != size || head.slots != slots || capacity < 64 || capacity > 1<<30 || capacity&(capacity-1) != 0 {
		return ErrCorrupt
	}
	if len(channel.memory) < size+int(capacity) || head.nameLength > 255 {
		return ErrCorrupt
	}
	if found := string(head.name[:head.nameLength]); found != name {
		return fmt.Errorf("it is the channel %q", found)
	}
	var namespace unix.Stat_t
	if unix.Stat("/proc/self/ns/pid", &namespace) == nil && head.namespace != uint32(namespace.Ino) {
		return errors.New("the channel belongs to another PID namespace")
	}
	channel.ring = channel.memory[size : size+int(capacity)]
	channel.units = int32(capacity / 8)
	return nil
}

func (channel *Channel) start(instance uint64) error {
	head := channel.header
	channel.senders = side{lock: &head.sendLock, asleep: &head.sendersAsleep}
	channel.receivers = side{lock: &head.receiveLock, asleep: &head.receiversAsleep}
	var err error
	if channel.senders.set, err = set(fmt.Sprintf("/os-ipc.cs.%016x", instance)); err != nil {
		return err
	}
	if channel.receivers.set, err = set(fmt.Sprintf("/os-ipc.cr.%016x", instance)); err != nil {
		return err
	}
	return channel.join()
}

// Takes a slot: a free one, or that of a dead process.
func (channel *Channel) join() error {
	own := ownIdentity()
	for _, takeDead := range []bool{false, true} {
		for number := range channel.header.slot {
			slot := &channel.header.slot[number]
			found := atomic.LoadUint64(&slot.identity)
			if found != 0 && !(takeDead && isDead(found)) {
				continue
			}
			if !atomic.CompareAndSwapUint64(&slot.identity, found, own) {
				continue
			}
			channel.slot = slot
			channel.word = atomic.AddUint32(&slot.generation, 1)<<8 | uint32(number+1)
			for _, lock := range []*uint32{channel.senders.lock, channel.receivers.lock} {
				// The former owner of the slot may have left a lock.
				if word := atomic.LoadUint32(lock); word&255 == uint32(number+1) && word != channel.word {
					atomic.CompareAndSwapUint32(lock, word, 0)
				}
			}
			return nil
		}
	}
	return ErrNoSlot
}

// Close gives the slot back. The channel and its messages stay.
func (channel *Channel) Close() error {
	channel.senders.getUp()
	channel.receivers.getUp()
	atomic.StoreUint32(&channel.slot.role, 0)
	atomic.StoreUint64(&channel.slot.identity, 0)
	return unix.Munmap(channel.memory)
}

// Send sends a message; it waits while the channel is full.
func (channel *Channel) Send(kind uint32, message []byte) error {
	return channel.senders.wait(func() error { return channel.trySend(kind, message) })
}

// Receive takes the next message; it waits for one, and returns ErrEnded when none will come.
func (channel *Channel) Receive() (kind uint32, message []byte, err error) {
	err = channel.Visit(func(what uint32, view []byte) {
		kind, message = what, append([]byte{}, view...)
	})
	return kind, message, err
}

// Visit does the same without a copy: the view is good until visit returns. Meanwhile nobody else receives.
func (channel *Channel) Visit(visit func(kind uint32, view []byte)) error {
	return channel.receivers.wait(func() error { return channel.tryReceive(visit) })
}

// End ends the channel for everybody: sends fail, and receivers get what is left.
func (channel *Channel) End() {
	channel.setState(ended)
	for channel.senders.wake() || channel.receivers.wake() {
	}
}

func (channel *Channel) trySend(kind uint32, message []byte) error {
	head, need := channel.header, int32((len(message)+15)/8)
	if len(message) > len(channel.ring)/2-8 {
		return ErrTooLarge
	}
	if !channel.take(&channel.senders) {
		return errLater
	}
	used, err := channel.used()
	end := uint32(atomic.LoadInt32(&head.end))
	skipped := channel.tail(end)
	if need <= skipped {
		skipped = 0
	}
	if err == nil && need+skipped > channel.units-used {
		err = errLater
	}
	if err == nil {
		err = channel.stateError(^uint32(0))
	}
	if err != nil {
		atomic.StoreUint32(channel.senders.lock, 0)
		return err
	}
	if skipped > 0 {
		*channel.word32(end, 0) = -1
	}
	start := end + uint32(skipped)
	*channel.word32(start, 0), *channel.word32(start, 1) = int32(len(message)), int32(kind)
	copy(channel.ring[channel.place(start)+8:], message)
	or(&channel.slot.role, sends)
	head.sent++
	atomic.StoreInt32(&head.end, int32(start+uint32(need)))
	atomic.StoreUint32(channel.senders.lock, 0)
	channel.receivers.wake()
	if channel.units-used-skipped-need >= channel.units/2 {
		channel.senders.wake()
	}
	return nil
}

func (channel *Channel) tryReceive(visit func(kind uint32, view []byte)) error {
	if !channel.take(&channel.receivers) {
		return errLater
	}
	head := channel.header
	used, err := channel.used()
	begin := uint32(atomic.LoadInt32(&head.begin))
	if err == nil {
		err = channel.stateError(corrupt)
	}
	if err == nil && used == 0 {
		err = errLater
	}
	if err == nil {
		start, skipped := begin, int32(0)
		length := atomic.LoadInt32(channel.word32(start, 0)) // read once: another process could change it
		if length == -1 {
			skipped = channel.tail(begin)
			start = begin + uint32(skipped)
			length = atomic.LoadInt32(channel.word32(start, 0))
		}
		kind := *channel.word32(start, 1)
		taken := skipped + int32((int64(length)+15)/8)
		if length < 0 || int(length) > len(channel.ring)/2-8 || taken > used || kind == 0 {
			channel.setState(corrupt)
			err = ErrCorrupt
		} else {
			from := channel.place(start) + 8
			visit(uint32(kind), channel.ring[from:from+int(length)])
			or(&channel.slot.role, receives)
			head.received++
			used -= taken
			atomic.StoreInt32(&head.begin, int32(begin+uint32(taken)))
		}
	}
	atomic.StoreUint32(channel.receivers.lock, 0)
	if used <= channel.units/2 {
		channel.senders.wake()
	}
	if left, _ := channel.used(); left > 0 {
		channel.receivers.wake()
	}
	if err == errLater && used == 0 {
		return channel.whyEmpty()
	}
	return err
}

// The order of the loads matters: a sender that has the lock may have looked at the state before the end.
func (channel *Channel) whyEmpty() error {
	state := atomic.LoadUint32(&channel.header.state)
	if state&ended != 0 && channel.take(&channel.senders) {
		used, err := channel.used()
		atomic.StoreUint32(channel.senders.lock, 0)
		if used == 0 && err == nil {
			return ErrEnded
		}
	} else if state&removed != 0 {
		return ErrRemoved
	}
	return errLater
}

func (channel *Channel) stateError(bits uint32) error {
	switch state := atomic.LoadUint32(&channel.header.state) & bits; {
	case state&corrupt != 0:
		return ErrCorrupt
	case state&removed != 0:
		return ErrRemoved
	case state != 0:
		return ErrEnded
	}
	return nil
}

func (channel *Channel) setState(bit uint32) { or(&channel.header.state, bit) }

// The number of used units.
func (channel *Channel) used() (int32, error) {
	begin := atomic.LoadInt32(&channel.header.begin)
	used := int32(uint32(atomic.LoadInt32(&channel.header.end)) - uint32(begin))
	if used < 0 || used > channel.units {
		channel.setState(corrupt)
		return 0, ErrCorrupt
	}
	return used, nil
}

// The byte of a position, and the units from there to the end of the ring.
func (channel *Channel) place(position uint32) int {
	return 8 * int(position&uint32(channel.units-1))
}

func (channel *Channel) tail(position uint32) int32 {
	return channel.units - int32(position&uint32(channel.units-1))
}

func (channel *Channel) word32(position uint32, index int) *int32 {
	return (*int32)(unsafe.Pointer(&channel.ring[channel.place(position)+4*index]))
}
