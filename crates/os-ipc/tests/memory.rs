//! Shared memory, made and removed by many at once.

mod common;

use std::thread;

use common::{Named, backends};
use os_ipc::{Code, MemoryId, Name, Owner, SharedMemory};

#[test]
fn open_or_create_finds_whole_objects_against_any_number_of_unlinks() {
    let Some(backend) = backends().next() else { return };
    let named = Named::new(backend);
    let id = MemoryId::Name(Name::memory(&named.name).unwrap());
    thread::scope(|scope| {
        for size in [1_u8, 2, 3] {
            let id = &id;
            scope.spawn(move || {
                let bytes = usize::from(size) * 20_000;
                for round in 0..500 {
                    match SharedMemory::open_or_create(id, bytes as u64, 0o600, Owner::Default) {
                        Ok(memory) => {
                            let mut last = [0xff];
                            assert_eq!(memory.read(&mut last, memory.size() - 1).unwrap(), 1);
                            assert_eq!(last, [0]);
                            assert!(memory.size() >= bytes);
                        }
                        Err(error) => assert_eq!(error.code(), Code::Size, "{error}"),
                    }
                    // Every other object ends with its last handle, where it does.
                    if round % 2 == 0 {
                        SharedMemory::unlink_id(id).unwrap();
                    }
                }
            });
        }
    });
    let _ = SharedMemory::unlink_id(&id);
}
