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

/// A slot with its locks, as its owner and others see them.
fn words(memory: &SharedMemory) -> [u64; 5] {
    let word = |position: usize| {
        let mut bytes = [0; 8];
        memory.read(&mut bytes[..4], position).unwrap();
        u64::from_le_bytes(bytes)
    };
    let slot = layout::FIRST_SLOT + 254 * layout::SLOT;
    [
        word(layout::SEND_LOCK),
        word(layout::RECEIVE_LOCK),
        word(slot),
        word(slot + layout::ROLE),
        word(slot - layout::SLOT),
    ]
}

/// The memory twice, with a slot that has the lock of the senders.
fn seated(name: &str) -> (SharedMemory, SharedMemory, Seat) {
    let path = format!("/os-ipc-test-{}-{name}", std::process::id());
    let id = MemoryId::Name(Name::memory(&path).unwrap());
    let memory = SharedMemory::create(&id, 8192 + 64, 0o600).unwrap();
    let other = SharedMemory::open(&id, true, crate::access::Owner::Default).unwrap();
    memory.unlink().unwrap();
    let word: u32 = 7 << 8 | 255;
    let slot = layout::FIRST_SLOT + 254 * layout::SLOT;
    for (position, value) in [
        (layout::SEND_LOCK, word),
        (layout::RECEIVE_LOCK, 7 << 8 | 1),
        (slot, 5),
        (slot + layout::ROLE, 3),
        (slot - layout::SLOT, 6),
    ] {
        other.write(&value.to_le_bytes(), position).unwrap();
    }
    let seat = Seat::enter(&memory).unwrap();
    seat.take(255, word).unwrap();
    (memory, other, seat)
}

#[test]
fn a_dropped_seat_frees_its_locks_and_its_slot_and_no_others() {
    let (memory, other, seat) = seated("seat");
    drop(memory);
    drop(seat);
    assert_eq!(words(&other), [0, 7 << 8 | 1, 0, 0, 6]);
}

#[test]
fn memory_that_is_withdrawn_gives_the_seat_up_before() {
    let (memory, other, seat) = seated("withdrawn");
    memory.withdraw();
    assert_eq!(words(&other), [0, 7 << 8 | 1, 0, 0, 6]);
    // By now another process may have the slot.
    other.write(&9_u32.to_le_bytes(), layout::FIRST_SLOT + 254 * layout::SLOT).unwrap();
    drop(seat);
    assert_eq!(words(&other)[2], 9);
}

#[test]
fn a_seat_is_one_of_the_slots_of_a_channel() {
    let seat = Seat::enter(&memory("slots")).unwrap();
    for slot in [0, 256] {
        assert!(seat.take(slot, 1).is_err());
    }
}

/// On Windows a process has no other image.
#[cfg(unix)]
#[test]
fn the_first_handle_of_a_process_gives_up_what_an_earlier_image_left() {
    let memory = memory("image");
    // The tests of other threads have channels too.
    memory.write(&7_u64.to_le_bytes(), layout::INSTANCE).unwrap();
    let ProcessId(own) = ProcessId::own_for_good();
    let word: u32 = 9 << 8 | 255;
    let slot = layout::FIRST_SLOT + 254 * layout::SLOT;
    let leave = || {
        memory.write(&word.to_le_bytes(), layout::SEND_LOCK).unwrap();
        memory.write(&own.to_le_bytes(), slot + layout::IDENTITY).unwrap();
        memory.write(&9_u32.to_le_bytes(), slot + layout::GENERATION).unwrap();
    };
    leave();
    let first = Seat::enter(&memory).unwrap();
    assert_eq!(words(&memory)[..4], [0, 0, 0, 0]);
    leave();
    let second = Seat::enter(&memory).unwrap();
    assert_eq!(words(&memory)[0], u64::from(word), "the process has another handle");
    drop(first);
    drop(second);
    drop(Seat::enter(&memory).unwrap());
    assert_eq!(words(&memory)[..4], [0, 0, 0, 0]);
}
