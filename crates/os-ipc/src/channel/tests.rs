use std::sync::atomic::Ordering;

use super::*;
use crate::memory::MemoryId;
use crate::name::Name;

fn memory(name: &str) -> SharedMemory {
    let name = format!("/os-ipc-test-{}-{name}", std::process::id());
    let id = MemoryId::Name(Name::memory(&name).unwrap());
    let memory = SharedMemory::create(&id, 8192 + 64, 0o600).unwrap();
    memory.unlink().unwrap();
    memory
}

#[test]
fn this_process_is_alive_and_another_start_time_is_a_dead_process() {
    let ProcessIdentity { pid, started, .. } = process_identity();
    assert_eq!(pid, std::process::id());
    assert!(!is_process_dead(pid, started));
    assert!(is_process_dead(pid, started.wrapping_add(1)));
    assert!(is_process_dead(0, started));
    assert!(is_process_dead(u32::MAX, started));
}

#[test]
fn a_dropped_seat_frees_its_locks_and_its_slot_and_no_others() {
    let memory = memory("seat");
    let lease = memory.lease();
    let word = 7 << 8 | 255;
    lease.word(layout::SEND_LOCK).store(word, Ordering::SeqCst);
    lease.word(layout::RECEIVE_LOCK).store(7 << 8 | 1, Ordering::SeqCst);
    let slot = layout::FIRST_SLOT + 254 * layout::SLOT;
    lease.long(slot).store(5, Ordering::SeqCst);
    lease.long(slot - layout::SLOT).store(6, Ordering::SeqCst);
    lease.word(slot + layout::ROLE).store(3, Ordering::SeqCst);
    let seat = Seat::new(&memory, 255, word).unwrap();
    drop(memory);
    drop(seat);
    assert_eq!(lease.word(layout::SEND_LOCK).load(Ordering::SeqCst), 0);
    assert_eq!(lease.word(layout::RECEIVE_LOCK).load(Ordering::SeqCst), 7 << 8 | 1);
    assert_eq!(lease.long(slot).load(Ordering::SeqCst), 0);
    assert_eq!(lease.word(slot + layout::ROLE).load(Ordering::SeqCst), 0);
    assert_eq!(lease.long(slot - layout::SLOT).load(Ordering::SeqCst), 6);
}

#[test]
fn a_seat_is_one_of_the_slots_of_a_channel() {
    let memory = memory("slots");
    for slot in [0, 256] {
        assert!(Seat::new(&memory, slot, 1).is_err());
    }
}
